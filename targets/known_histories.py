"""The histories of what is asked: targets with everything given of them, decisions, indicators, years, periods."""

from django.db.models import Q
from django.urls import reverse

from targets.models import Assignment, Decision, Indicator, Period, Reply, Target, WorkYear
from units import histories
from units.models import JournalEntry, Unit


def _of_target(user, target):
    """What happened to the target, and to what the units in the user's scope were given of it and answered.

    Units below read what was done since it was issued: before that it was nobody's but its writer's.
    """
    mine = Unit.objects.visible_to(user)
    own = Q(object_type=Target._meta.label_lower, object_id=target.pk)
    if target.decision and not mine.filter(pk=target.issuer_id).exists():
        own &= Q(at__gte=target.decision.at)
    given = Assignment.objects.visible_to(user).filter(measure__target=target)
    replies = Reply.objects.filter(measure__target=target, unit__in=mine.values("pk"))
    below = Q(pk__in=[])
    for rows in (given, replies):
        below |= Q(object_type=rows.model._meta.label_lower, object_id__in=rows.order_by().values("pk"))
    return JournalEntry.objects.filter(own | below).for_list()


def _of_periods(*periods):
    """What was set of them. What the calendar's reminders tell counts units of everybody's: that stays in the
    journal."""
    return Q(object_type=Period._meta.label_lower, object_id__in=periods, verb__startswith="targets.")


def _of_year(user, year):
    """What happened to the year, and to the periods that everybody has in it."""
    own = Q(object_type=year._meta.label_lower, object_id=year.pk)
    standard = Period.objects.standard().filter(year=year).order_by().values_list("pk", flat=True)
    return JournalEntry.objects.filter(own | _of_periods(*standard)).for_list()


KINDS = (
    histories.Kind(
        "chi-tieu",
        Target,
        lambda user: Target.objects.visible_to(user).select_related("decision"),
        "Chỉ tiêu",
        lambda target: reverse("target_detail", args=[target.pk]),
        _of_target,
    ),
    histories.Kind("so-giao", Assignment, lambda user: Assignment.objects.visible_to(user), "Số giao"),
    histories.Kind(
        "quyet-dinh",
        Decision,
        lambda user: Decision.objects.visible_to(user),
        "Quyết định",
        lambda decision: reverse("decision_detail", args=[decision.pk]),
    ),
    histories.Kind("chi-so", Indicator, lambda user: Indicator.objects.all(), "Chỉ số"),
    histories.Kind(
        "nam",
        WorkYear,
        lambda user: WorkYear.objects.all(),
        "Năm công tác",
        lambda year: reverse("year_list"),
        _of_year,
    ),
    histories.Kind(
        "ky-bao-cao",
        Period,
        lambda user: Period.objects.visible_to(user),
        "Kỳ báo cáo",
        lambda period: f"{reverse('period_settings')}?nam={period.year_id}",
        lambda user, period: JournalEntry.objects.filter(_of_periods(period.pk)).for_list(),
    ),
)
for kind in KINDS:
    histories.know(kind)
