"""Joint activities: a co-host confirms that it took part, or declines.

An invited host counts at once, as the lead and imports say it does, until it declines; a declined host counts nowhere.
It may change its mind while the work year is open. An answer changes the host, not the record: the record's version
stays, so that it makes nobody's open form stale, and the approval stands.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from activities import events, totals
from activities.models import COUNTED, Event, Host, HostState, Status, Step
from activities.review import WrongState
from unionwork.verbs import verb
from units import access

TO = {Step.CONFIRM: HostState.CONFIRMED, Step.DECLINE: HostState.DECLINED}
# A draft may still change its hosts, a cancelled record counts nowhere, a published one is in a report already.
ANSWERABLE = (Status.PENDING, Status.RETURNED, Status.APPROVED)
# What asks for an answer: not while the lead still has to complete it.
ASKING = (Status.PENDING, Status.APPROVED)
LONGEST_REASON = 300


@verb("Xác nhận phối hợp")
def confirm(*, activity, unit, actor):
    """Say that `unit` took part. Returns whether that changed anything: the second of two same answers does not.

    Raises `WrongState` when the record no longer takes answers, `PermissionDenied` for people of other units.
    """
    return _answer(confirm, Step.CONFIRM, activity.pk, unit, actor)


@verb("Từ chối phối hợp")
def decline(*, activity, unit, actor, reason):
    """Say that `unit` did not take part: the record leaves its totals at once. Returns and raises as `confirm`.

    Raises ValidationError without a reason.
    """
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "Ghi lý do để đơn vị chủ trì biết vì sao đơn vị bạn không phối hợp."})
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": f"Lý do dài {len(reason)} ký tự; rút gọn còn nhiều nhất {LONGEST_REASON}."})
    return _answer(decline, Step.DECLINE, activity.pk, unit, actor, reason)


def _answer(act, step, pk, unit, actor, reason=""):
    with totals.counting([pk]) as records:
        host = Host.objects.filter(activity=pk, unit=unit).first()  # stays as it is: the record is locked
        if why := _why_not(records.get(pk), host, unit):
            raise WrongState(why)
        mine = Host.objects.answerable_by(actor).filter(pk=host.pk)
        if not mine.exists():
            raise PermissionDenied(f"Chỉ người của “{unit}” hoặc cấp trên của đơn vị này trả lời được.")
        answer = {"state": TO[step], "reason": reason, "actor": actor, "at": timezone.now()}
        if not mine.exclude(state=TO[step]).update(**answer):
            return False
    status = records[pk]["status"]
    event = Event(
        activity_id=pk,
        step=step,
        from_status=status,
        to_status=status,
        actor=actor,
        reason=reason,
        changes=[[str(unit), str(host.get_state_display()), str(TO[step].label), {"unit": unit.pk}]],
        touches=records[pk]["touches"] if status in COUNTED else [],
    )
    events.write(act.code, [event])
    return True


def _why_not(record, host, unit):
    """Why a host cannot answer (any more), in words; None when it can."""
    if record is None:
        return "Không tìm thấy hoạt động."
    if host is None:
        return f"“{unit}” không còn trong danh sách phối hợp của hoạt động này."
    if record["status"] not in ANSWERABLE:
        label = Status(record["status"]).label
        return f"Không trả lời được: hoạt động đang ở trạng thái “{label}”."
    return None


def can_answer(activity):
    """Whether the record takes answers now (who may give one is `Host.objects.answerable_by`'s to say)."""
    return activity.status in ANSWERABLE


def asked(user, *, below=False):
    """The hosts whose answer is asked of this user: of the units the user works for; `below`: of all under them."""
    hosts = Host.objects.answerable_by(user)
    if not below:
        hosts = hosts.filter(unit__in={grant.unit_id for grant in access.LOG.grants(user) if grant.unit_id})
    return hosts.filter(activity__status__in=ASKING, activity__year__is_open=True)


def waiting_for(user, *, below=False):
    """Of `asked` those that have not answered yet: rows of `Host`, to be counted or listed."""
    return asked(user, below=below).filter(state=HostState.INVITED)


def in_words(hosts):
    """“phối hợp: 3 đơn vị, 1 chưa xác nhận, 1 từ chối”; "" without any."""
    states = [host.state for host in hosts]
    if not states:
        return ""
    parts = [f"phối hợp: {len(states)} đơn vị"]
    for state, words in ((HostState.INVITED, "chưa xác nhận"), (HostState.DECLINED, "từ chối")):
        if count := states.count(state):
            parts.append(f"{count} {words}")
    return ", ".join(parts)
