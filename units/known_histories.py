"""The histories of units, their clusters, and of the people who work for them."""

from django.db.models import Q
from django.urls import reverse

from units import access, histories
from units.models import Cluster, JournalEntry, Role, Unit, User


def _of_unit(user, unit):
    """What happened to the unit; and to its accounts and roles, for those who manage them."""
    about = Q(object_type=unit._meta.label_lower, object_id=unit.pk)
    if Unit.objects.reached(user, access.MANAGE_PEOPLE).filter(pk=unit.pk).exists():
        about |= Q(object_type__in=[User._meta.label_lower, Role._meta.label_lower], unit=unit)
    return JournalEntry.objects.filter(about).for_list()


def _roles_of(user):
    reached = Unit.objects.reached(user, access.MANAGE_PEOPLE)
    return Role.objects.filter(unit__in=reached.values("pk")).select_related("user", "unit")


def _people_of(user):
    return User.objects.filter(pk__in=_roles_of(user).order_by().values("user")).order_by()


def _of_person(user, person):
    """Entries about the account and its roles: those of units that the user manages, as in the journal."""
    about = Q(object_type=person._meta.label_lower, object_id=person.pk)
    roles = Q(object_type=Role._meta.label_lower, object_id__in=person.roles.values("pk"))
    return JournalEntry.objects.visible_to(user).filter(about | roles).for_list()


KINDS = (
    histories.Kind(
        "don-vi",
        Unit,
        lambda user: Unit.objects.visible_to(user),
        "Đơn vị",
        lambda unit: reverse("unit_detail", args=[unit.code]),
        _of_unit,
    ),
    histories.Kind(
        "cum",
        Cluster,
        lambda user: Cluster.objects.filter(organizer__in=Unit.objects.visible_to(user).values("pk")),
        "Cụm thi đua",
    ),
    histories.Kind("tai-khoan", User, _people_of, "Tài khoản", entries=_of_person),
    histories.Kind("vai-tro", Role, _roles_of, "Vai trò", entries=lambda user, role: _of_person(user, role.user)),
)
for kind in KINDS:
    histories.know(kind)
