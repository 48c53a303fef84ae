"""Gộp: two records of one event become one joint activity, so that nobody above counts it twice.

The one that stays gets the other's unit and further hosts, and its evidence; the other is cancelled and points to it.
What changed for the hosts is noted in the event with their ids, from where `unmerge` puts it back.
"""

import re
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from activities import events, lapsing, review, totals
from activities.locks import WrongState
from activities.models import Activity, Doubt, Event, Evidence, Host, HostState, RecordNature, Status, Step
from unionwork.verbs import verb
from units import notices
from units.models import NoticeKind

MERGEABLE = (Status.PENDING, Status.APPROVED)
NONE = "–"
FILES = "Minh chứng"
# What says something else of the record that stays than it said when it was merged: nobody knows then which part of it
# came from the other one.
REWRITES = (Step.EDIT, Step.ADOPT)


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
        lapsed = lapsing.lapse(records.values(), step=Step.MERGE, actor=actor, reason=reason)
    words = f"Gộp vào {keep.code}: {reason}"
    _tell(
        keep=(keep, f"{other.code} của {other.unit} đã gộp vào {_called(keep)}. Lý do: {reason}"),
        other=(other, f"{_called(other)} đã gộp vào {keep.code}. Lý do: {reason}"),
    )
    events.write(
        merge.code,
        [
            review.event_of(
                Step.MERGE,
                records[other.pk],
                actor,
                words,
                to=Status.CANCELLED,
                changes=lapsed.get(other.pk, ()),
            ),
            review.event_of(
                Step.MERGE,
                records[keep.pk],
                actor,
                f"Nhận {other.code}: {reason}",
                to=records[keep.pk]["status"],
                changes=changes + lapsed.get(keep.pk, []),
            ),
        ],
    )


@verb("Tách hoạt động đã gộp")
def unmerge(*, other, actor):
    """Take a merge back: `other` is what it was before, its unit and evidence leave the record it went into.

    Raises `WrongState`, which says what to do first, when that record was rewritten since and may count (cancelled, it
    does not), or received another one later; PermissionDenied.
    """
    into = Activity.objects.filter(pk=other.pk).values_list("merged_into", flat=True).first()
    if into is None:
        raise WrongState("Hoạt động này không được gộp vào hoạt động nào.")
    with totals.counting([into, other.pk]) as records:
        keep, other = _both(into, other.pk, actor)
        if other.merged_into_id != keep.pk:
            raise WrongState("Hoạt động này vừa được tách lại.")
        was, noted = _merged(keep, other)
        changes = _part(keep, noted)
        # Evidence keeps the key of the form it was sent for: so what came with `other` is found again.
        if moved := Evidence.objects.filter(activity=keep, form_key=other.form_key).update(activity=other):
            changes.append([FILES, f"{moved} tệp từ {other.code}", ""])
        Activity.objects.filter(pk=other.pk).update(
            status=was.from_status, merged_into=None, return_reason="", version=F("version") + 1
        )
        Activity.objects.filter(pk=keep.pk).update(version=F("version") + 1)
        lapsed = lapsing.lapse([records[keep.pk]], step=Step.UNMERGE, actor=actor)
    _tell(
        keep=(keep, f"{other.code} đã tách khỏi {_called(keep)}."),
        other=(other, f"{_called(other)} đã tách khỏi {keep.code}."),
    )
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
                changes=changes + lapsed.get(keep.pk, []),
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
    """Give `keep` the hosts of `other`. Returns [[unit, what it was, what it is, `_standing` before]] for `_part`."""
    coming = {host.unit: host for host in other.hosts.counting().select_related("unit")}
    # Who wrote it down says that it took part; the others are as they answered there.
    coming[other.unit] = Host(state=HostState.CONFIRMED, actor=actor, at=timezone.now())
    coming.pop(keep.unit, None)
    there = {host.unit_id: host for host in keep.hosts.all()}
    changes = []
    for unit in sorted(coming, key=lambda unit: unit.pk):
        host, state = there.get(unit.pk), HostState(coming[unit].state)
        said = {"state": state, "actor": coming[unit].actor, "at": coming[unit].at}
        if host is None:
            Host.objects.create(activity=keep, unit=unit, **said)
            changes.append([str(unit), NONE, str(state.label), {"unit": unit.pk}])
        elif host.state != state and (host.has_declined or state == HostState.CONFIRMED):
            changes.append([str(unit), _as_it_was(host), str(state.label), _standing(host)])
            Host.objects.filter(pk=host.pk).update(reason="", **said)
    return changes


def _as_it_was(host):
    label = str(host.get_state_display())
    return f"{label}: {host.reason}" if host.reason else label


def _standing(host):
    """What brings the host back as it is; `unit` stays the same however the unit is called later."""
    at = host.at.isoformat() if host.at else None
    return {"unit": host.unit_id, "state": host.state, "reason": host.reason, "actor": host.actor_id, "at": at}


def _part(keep, noted):
    """Put the hosts back as the merge noted them; who gave another answer since, or was taken out, stays so. Returns
    [[unit, what it was, what it is, its id]]."""
    hosts = {host.unit_id: host for host in keep.hosts.select_related("unit")}
    changes = []
    for _, then, now, before in (row for row in noted.changes if len(row) > 3):
        before = dict(before)
        host = hosts.get(before.pop("unit"))
        if host is None:
            continue
        if not before:
            host.delete()
        elif str(host.get_state_display()) == now:
            before["at"] = before["at"] and datetime.fromisoformat(before["at"])
            Host.objects.filter(pk=host.pk).update(actor=before.pop("actor"), **before)
        else:
            continue
        changes.append([str(host.unit), _as_it_was(host), then, {"unit": host.unit_id}])
    return changes


def _cancel(other, keep):
    """Who approved it and when stays noted: `unmerge` brings it back as it was."""
    Activity.objects.filter(pk=other.pk).update(
        status=Status.CANCELLED, merged_into=keep, return_reason=f"Gộp vào {keep.code}", version=F("version") + 1
    )


def _merged(keep, other):
    """The events of the merge on `other` and on `keep`. Raises `WrongState` when something else has to be done first:
    a cancelled `keep` counts nowhere, so it may be left as it was rewritten, to be restored and sent anew."""
    was = other.events.filter(step=Step.MERGE, to_status=Status.CANCELLED).last()
    noted = keep.events.filter(step=Step.MERGE, reason__startswith=f"Nhận {other.code}:").last()
    later = Event.objects.filter(activity__merged_into=keep, step=Step.MERGE, pk__gt=noted.pk).order_by("-pk")
    if last := later.select_related("activity").first():
        code = last.activity.code
        raise WrongState(f"Không tách được: {code} gộp vào {keep.code} sau; tách lại {code} trước.")
    if keep.status != Status.CANCELLED and keep.events.filter(pk__gt=noted.pk, step__in=REWRITES).exists():
        raise WrongState(
            f"Không tách được: {keep.code} đã được sửa sau khi gộp. Huỷ {keep.code} thì tách được; khôi phục "
            f"{keep.code} sau đó, dưới dạng bản nháp."
        )
    return was, noted


def _called(record):
    return f"{record.code} “{record.title}”"


def _tell(*, keep, other):
    """Both authors, each where the record is: (record, words), which call the other record by its code alone, because
    that one's title may be out of sight. One who wrote both is told once."""
    for record, text in {said[0].author_id: said for said in (other, keep)}.values():
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
