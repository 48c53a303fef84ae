"""The histories of units and of the people who work for them."""

from django.db.models import Q
from django.urls import reverse

from units import access, histories
from units.models import JournalEntry, Role, Unit, User


def _of_unit(user, unit):
    """What happened to the unit; and to its accounts and roles, for those who manage them."""
    about = Q(object_type=unit._meta.label_lower, object_id=unit.pk)
    if Unit.objects.reached(user, access.MANAGE_PEOPLE).filter(pk=unit.pk).exists():
        about |= Q(object_type__in=[User._meta.label_lower, Role._meta.label_lower], unit=unit)
    return JournalEntry.objects.filter(about).for_list()


def _people_of(user):
    reached = Unit.objects.reached(user, access.MANAGE_PEOPLE)
    return User.objects.filter(roles__unit__in=reached.values("pk")).distinct()


def _of_person(user, person):
    """Entries about the account and its roles: those of units that the user manages, as in the journal."""
    about = Q(object_type=person._meta.label_lower, object_id=person.pk)
    roles = Q(object_type=Role._meta.label_lower, object_id__in=person.roles.values("pk"))
    return JournalEntry.objects.visible_to(user).filter(about | roles).for_list()


histories.know(
    histories.Kind(
        "don-vi",
        Unit,
        lambda user: Unit.objects.visible_to(user),
        "Đơn vị",
        lambda unit: reverse("unit_detail", args=[unit.code]),
        _of_unit,
    )
)
histories.know(histories.Kind("tai-khoan", User, _people_of, "Tài khoản", entries=_of_person))
