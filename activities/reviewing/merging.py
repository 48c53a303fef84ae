"""Gộp: two records of one event become one joint activity, so that nobody above counts it twice.

The one that stays gets the other's unit and further hosts, and its evidence; the other is cancelled and points to it.
What changed for the hosts is noted with the units' codes in the event, from where `unmerge` puts it back.
"""

import re

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from activities import events, review, totals
from activities.locks import WrongState
from activities.models import Activity, Correction, Doubt, Evidence, Host, HostState, RecordNature, Status, Step
from unionwork.verbs import verb
from units import notices
from units.models import NoticeKind

MERGEABLE = (Status.PENDING, Status.APPROVED)
NONE = "–"
FILES = "Minh chứng"
# What may happen to the record that stays without keeping anybody from taking the merge back.
LEAVES_HOSTS = (
    Step.SUBMIT,
    Step.WITHDRAW,
    Step.APPROVE,
    Step.CORRECT,
    Step.RETURN,
    Step.RECALL,
    Step.UNAPPROVE,
    Step.ATTACH,
    Step.DETACH,
)
STATES = {str(state.label): state for state in HostState}


@verb("Gộp hoạt động")
def merge(*, keep, other, actor, reason, seen=None):
    """Make `other` part of `keep`: its unit and hosts take part in `keep`, its evidence moves there, it is cancelled.

    For somebody who may decide both; `seen`: {id: version the reviewer read}. The status of `keep` stays. Both authors
    are told. Raises `WrongState` when the two cannot be one, PermissionDenied.
    """
    review.demand(reason, "Ghi lý do gộp để hai đơn vị cùng biết.")
    if keep.pk == other.pk:
        raise WrongState("Chọn hai hoạt động khác nhau để gộp.")
    with totals.counting([keep.pk, other.pk]) as records:
        keep, other = _both(keep.pk, other.pk, actor)
        _check(keep, other, seen or {})
        changes = _join(keep, other, actor)
        if moved := Evidence.objects.filter(activity=other).update(activity=keep):
            changes.append([FILES, "", f"{moved} tệp từ {other.code}"])
        _cancel(other, keep)
        Activity.objects.filter(pk=keep.pk).update(version=F("version") + 1)
        Correction.objects.lapse([keep.pk, other.pk], actor)
    words = f"Gộp vào {keep.code}: {reason}"
    _tell(keep, other, f"{other.code} “{other.title}” đã gộp vào {keep.code} “{keep.title}”. Lý do: {reason}")
    events.write(
        merge.code,
        [
            review.event_of(Step.MERGE, records[other.pk], actor, words, to=Status.CANCELLED),
            review.event_of(
                Step.MERGE,
                records[keep.pk],
                actor,
                f"Nhận {other.code}: {reason}",
                to=records[keep.pk]["status"],
                changes=changes,
            ),
        ],
    )


@verb("Tách hoạt động đã gộp")
def unmerge(*, other, actor):
    """Take a merge back: `other` is what it was before, its unit and evidence leave the record it went into.

    Raises `WrongState` when content or hosts of that record changed since, PermissionDenied.
    """
    into = Activity.objects.filter(pk=other.pk).values_list("merged_into", flat=True).first()
    if into is None:
        raise WrongState("Hoạt động này không được gộp vào hoạt động nào.")
    with totals.counting([into, other.pk]) as records:
        keep, other = _both(into, other.pk, actor)
        if other.merged_into_id != keep.pk:
            raise WrongState("Hoạt động này vừa được tách lại.")
        was, noted = _merged(keep, other)
        changes = _part(keep, noted.changes)
        # Evidence keeps the key of the form it was sent for: so what came with `other` is found again.
        if moved := Evidence.objects.filter(activity=keep, form_key=other.form_key).update(activity=other):
            changes.append([FILES, f"{moved} tệp từ {other.code}", ""])
        Activity.objects.filter(pk=other.pk).update(
            status=was.from_status, merged_into=None, return_reason="", version=F("version") + 1
        )
        Activity.objects.filter(pk=keep.pk).update(version=F("version") + 1)
    _tell(keep, other, f"{other.code} “{other.title}” đã tách khỏi {keep.code} “{keep.title}”.")
    events.write(
        unmerge.code,
        [
            review.event_of(Step.UNMERGE, records[other.pk], actor, f"Tách khỏi {keep.code}", to=was.from_status),
            review.event_of(
                Step.UNMERGE,
                records[keep.pk],
                actor,
                f"Tách {other.code}",
                to=records[keep.pk]["status"],
                changes=changes,
            ),
        ],
    )


def _both(keep, other, actor):
    found = Activity.objects.decidable_by(actor).select_related("unit", "kind", "author").in_bulk([keep, other])
    if len(found) < 2:
        raise PermissionDenied("Chỉ người duyệt được cả hai hoạt động mới gộp hoặc tách được.")
    return found[keep], found[other]


def _check(keep, other, seen):
    for record in (keep, other):
        if record.version != seen.get(record.pk, record.version):
            raise review.Changed(f"{record.code} vừa được sửa sau khi bạn mở trang: so sánh lại rồi gộp.")
        if record.status not in MERGEABLE:
            label = record.get_status_display()
            raise WrongState(f"Không gộp được: {record.code} đang ở trạng thái “{label}”.")
        if record.kind.nature != RecordNature.FLOW:
            raise WrongState("Chỉ gộp được hai hoạt động; kê khai và mốc là của riêng một đơn vị.")
    if other.merged.exists():
        raise WrongState(
            f"{other.code} đã nhận một hoạt động khác gộp vào: giữ lại {other.code} và gộp theo chiều kia."
        )
    if keep.year_id != other.year_id:
        raise WrongState(f"Không gộp được: hai hoạt động thuộc hai năm công tác {keep.year_id} và {other.year_id}.")


def _join(keep, other, actor):
    """Give `keep` the hosts of `other`. Returns [[unit, what it was, what it is]] for `_part`."""
    coming = {host.unit: HostState(host.state) for host in other.hosts.counting().select_related("unit")}
    coming[other.unit] = HostState.CONFIRMED  # who wrote it down says that it took part
    coming.pop(keep.unit, None)
    there = {host.unit_id: host for host in keep.hosts.all()}
    changes = []
    for unit in sorted(coming, key=lambda unit: unit.pk):
        host, state = there.get(unit.pk), coming[unit]
        if host is None:
            Host.objects.create(activity=keep, unit=unit, state=state, actor=actor, at=timezone.now())
            changes.append([_named(unit), NONE, str(state.label)])
        elif host.state != state and (host.has_declined or state == HostState.CONFIRMED):
            changes.append([_named(unit), _as_it_was(host), str(state.label)])
            Host.objects.filter(pk=host.pk).update(state=state, reason="")
    return changes


def _named(unit):
    return f"{unit} ({unit.code})"


def _as_it_was(host):
    label = str(host.get_state_display())
    return f"{label}: {host.reason}" if host.reason else label


def _part(keep, noted):
    """Put the hosts back as the merge noted them. Returns [[unit, what it was, what it is]]."""
    hosts = {host.unit.code: host for host in keep.hosts.select_related("unit")}
    changes = []
    for named, then, now in noted:
        host = hosts.get(named.rpartition("(")[2].rstrip(")"))
        if host is None:
            continue
        if then == NONE:
            host.delete()
        else:
            label, _, reason = then.partition(": ")
            Host.objects.filter(pk=host.pk).update(state=STATES[label], reason=reason)
        changes.append([named, now, then])
    return changes


def _cancel(other, keep):
    """Who approved it and when stays noted: `unmerge` brings it back as it was."""
    Activity.objects.filter(pk=other.pk).update(
        status=Status.CANCELLED, merged_into=keep, return_reason=f"Gộp vào {keep.code}", version=F("version") + 1
    )


def _merged(keep, other):
    """The events of the merge on `other` and on `keep`. Raises `WrongState` when `keep` changed since."""
    was = other.events.filter(step=Step.MERGE, to_status=Status.CANCELLED).last()
    noted = keep.events.filter(step=Step.MERGE, reason__startswith=f"Nhận {other.code}:").last()
    since = keep.events.filter(pk__gt=noted.pk).exclude(step__in=LEAVES_HOSTS)
    if keep.status == Status.CANCELLED or since.exists():
        raise WrongState(f"Không tách được: {keep.code} đã thay đổi sau khi gộp.")
    return was, noted


def _tell(keep, other, text):
    """Both authors, each where the record is; one who wrote both is told once."""
    for record in {record.author_id: record for record in (other, keep)}.values():
        notices.tell(
            users=[record.author],
            unit=record.unit,
            kind=NoticeKind.MERGED,
            text=text,
            url=reverse("activity_detail", args=[record.pk]),
        )


# --- what may be compared ---

_CODE = re.compile(r"HD-\d{4}-0*(\d{1,15})\b")


def doubles_of(activity):
    """Ids that the warnings of a record name as its double."""
    if activity.status not in MERGEABLE:
        return set()
    sentences = [sentence for code, sentence in activity.warnings if code in (Doubt.TWIN, Doubt.JOINT)]
    return {int(number) for sentence in sentences for number in _CODE.findall(sentence)} - {activity.pk}


def suspected_among(known, activity):
    """[Activity] that the warnings of an `activity` the user may decide name as its double, to be compared and merged.

    `known`: records the user sees ({id: record}, `decided.named`); those out of reach are not revealed.
    """
    found = [known[pk] for pk in sorted(doubles_of(activity)) if pk in known]
    return [row for row in found if row.is_decidable and _is_mergeable(row)] if _is_mergeable(activity) else []


def _is_mergeable(record):
    return record.status in MERGEABLE and record.kind.nature == RecordNature.FLOW


def mergeable_by(user):
    """Records this user may merge with another: activities that wait or count, and that the user may decide."""
    return Activity.objects.decidable_by(user).filter(status__in=MERGEABLE, kind__nature=RecordNature.FLOW)
