"""Writing a record down and changing it."""

import hashlib
import json

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from activities import events, lapsing, locks, totals
from activities.models import COUNTED, EDITABLE, Activity, Event, Figure, Host, RecordNature, Status, Step
from activities.rules import Rules, missing, reached_already
from unionwork import planner
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.text import nfc
from unionwork.verbs import verb
from units import tree

FIELDS = {
    "unit_id": "Đơn vị",
    "kind_id": "Loại",
    "title": "Tên",
    "first_day": "Từ ngày",
    "last_day": "Đến ngày",
    "place": "Địa điểm",
    "work_level": "Cấp công trình",
    "description": "Mô tả",
    "document": "Văn bản",
}
HOSTS = "Đơn vị phối hợp"


class Stale(ValidationError):
    """Somebody else changed the record after this form was opened."""


class SentOtherwise(Exception):
    """This form became the record `already` before, and with other content."""

    def __init__(self, already):
        super().__init__(already.code)
        self.already = already


def create(*, entry, actor):
    """Write a new record as a draft. The same `form_key` twice gives the record that is already there.

    Raises `SentOtherwise` when that was written with other content.
    """
    digest = entry.activity.form_digest = digest_of(entry)
    already = Activity.objects.filter(form_key=entry.activity.form_key).first()
    if already is None:
        try:
            return create_many(entries=[entry], actor=actor)[0]
        except IntegrityError:  # a double tap: the other request came first
            already = Activity.objects.get(form_key=entry.activity.form_key)
    if already.author_id != actor.pk:
        raise ValidationError("Biểu mẫu này đã được dùng. Tải lại trang rồi ghi lại.")
    if already.form_digest not in ("", digest):
        raise SentOtherwise(already)
    return already


def digest_of(entry):
    """SHA-256 of what a form says, however it was sent: line ends, spaces and Unicode forms do not count."""
    activity = entry.activity
    names = ["unit_id", "kind_id", "milestone_id", "title", "first_day", "last_day", "place", "work_level"]
    said = [nfc(str(getattr(activity, name))) for name in [*names, "document", "description"]]
    figures = sorted((row.code, parsed.value, parsed.word) for row, parsed in entry.figures.items())
    hosts = sorted(unit.pk for unit in entry.hosts)
    return hashlib.sha256(json.dumps([said, figures, hosts]).encode()).hexdigest()


@verb("Ghi hoạt động")
def create_many(*, entries, actor, rules=None, settled=False):
    """Write new records as drafts, in few statements however many. `settled`: `rules.settle` was called already (never
    for milestones).

    Raises `Locked` when one of them is dated in a locked period.
    """
    tree.lock_shared()
    totals.lock_units({entry.activity.unit_id for entry in entries if entry.activity.milestone_id})
    rules = rules or Rules()
    for entry in entries:
        entry.activity.author = actor
        if not settled:
            rules.settle(entry)
    activities = [entry.activity for entry in entries]
    locks.refuse(
        locks.spot_of(entry.activity, rules.kinds[entry.activity.kind_id].nature, entry.hosts) for entry in entries
    )
    for activity in activities:
        activity.prepare()
    Activity.objects.bulk_create(activities, batch_size=500)
    Figure.objects.bulk_create((row for entry in entries for row in figures_of(entry, rules)), batch_size=2000)
    Host.objects.bulk_create(
        (Host(activity=entry.activity, unit=unit) for entry in entries for unit in entry.hosts), batch_size=2000
    )
    planner.wrote(len(activities), Activity, Figure, Host)
    events.write(
        create_many.code,
        [Event(activity=row, step=Step.CREATE, to_status=Status.DRAFT, actor=actor) for row in activities],
    )
    return activities


def _check_counted(before, reason):
    """Raises ValidationError when an approved record may not be changed in place, or without a reason."""
    if before.year.keeps_approved:
        raise ValidationError(
            f"Năm công tác {before.year_id} giữ số đã duyệt: gửi bản sửa từ trang của hoạt động, số cũ vẫn được tính "
            "cho tới khi bản sửa được duyệt."
        )
    demand_reason(reason)


def demand_reason(reason):
    """Raises ValidationError without a reason for changing what counts."""
    if not reason.strip():
        raise ValidationError({"change_reason": "Ghi lý do sửa: hoạt động này đã duyệt và đang được tính."})


@verb("Sửa hoạt động")
def edit(*, entry, actor, version, reason=""):
    """Change a record. An approved one needs a reason, goes back to waiting and leaves the totals until it is approved
    again; in a year that keeps approved figures it is changed by a correction only (`activities.corrections`).

    Raises `Stale` when the record is no longer at `version`, unless it says the same already: sent once more;
    ValidationError by field, also when what waits would not be complete any more.
    """
    tree.lock_shared()  # before the rules read which years are open: nobody closes one meanwhile
    rules = Rules()
    activity = entry.activity
    rules.settle(entry)
    nature = rules.kinds[activity.kind_id].nature
    into = () if nature == RecordNature.FLOW else {(activity.unit_id, activity.year_id)}
    with totals.counting([activity.pk], into) as records:
        record = records[activity.pk]
        before = Activity.objects.select_related("year").get(pk=activity.pk)
        changes = differences(before, entry, rules)
        if changes and record["version"] != version:
            raise Stale("Hoạt động này vừa được người khác sửa. Xem bản mới bên cạnh rồi lưu lại.")
        if record["status"] not in EDITABLE:
            raise ValidationError(f"Không sửa được hoạt động ở trạng thái “{Status(record['status']).label}”.")
        if not changes:
            return activity
        counted = [record] if record["status"] in COUNTED else []
        if counted:
            _check_counted(before, reason)
        if already := reached_already(activity):  # since the rules looked
            raise ValidationError({"milestone": already})
        status = Status.PENDING if counted else Status(record["status"])
        if status == Status.PENDING and (wrong := missing(entry, rules)):
            raise ValidationError(wrong)
        activity.prepare()
        activity.status, activity.version = status, version + 1
        if counted:
            activity.approver, activity.decided_at, activity.submitted_at = None, None, timezone.now()
        activity.save(force_update=True)
        keep_figures(entry, rules)
        keep_hosts(activity, entry.hosts)
        lapsed = lapsing.lapse(counted, step=Step.EDIT, actor=actor, reason=reason)
    event = Event(
        activity=activity,
        step=Step.EDIT,
        from_status=record["status"],
        to_status=status,
        actor=actor,
        reason=reason,
        changes=changes + lapsed.get(activity.pk, []),
        touches=record["touches"] if counted else [],
    )
    events.write(edit.code, [event])
    return activity


def keep_hosts(activity, units):
    """Those that stay keep their answer; new ones are invited."""
    activity.hosts.exclude(unit__in=units).delete()
    there = set(activity.hosts.values_list("unit_id", flat=True))
    Host.objects.bulk_create(Host(activity=activity, unit=unit) for unit in units if unit.pk not in there)


def keep_figures(entry, rules):
    """Write the figures of a saved record anew."""
    entry.activity.figures.all().delete()
    Figure.objects.bulk_create(figures_of(entry, rules))


def figures_of(entry, rules):
    """The typed figures and the counted ones."""
    for indicator, parsed in entry.figures.items():
        if parsed.value is not None:
            yield Figure(activity=entry.activity, indicator=indicator, value=parsed.value, word=parsed.word)
    for indicator in rules.counted(entry.activity):
        yield Figure(activity=entry.activity, indicator=indicator, value=1)


def differences(before, entry, rules):
    """[[what, what the saved record `before` says, what `entry` says]] in words, where they differ."""
    activity = entry.activity
    changes = []
    for name, label in FIELDS.items():
        old, new = getattr(before, name), getattr(activity, name)
        if old != new:
            changes.append([label, _shown(before, name), _shown(activity, name)])
    old = {row.indicator: (row.value, row.word) for row in before.figures.select_related("indicator")}
    new = {row.indicator: (row.value, row.word) for row in figures_of(entry, rules)}
    for indicator in sorted({*old, *new}, key=lambda i: (i.position, i.pk)):
        if old.get(indicator) != new.get(indicator):
            changes.append([str(indicator), _number(indicator, old), _number(indicator, new)])
    then = {row.unit_id: str(row.unit) for row in before.hosts.select_related("unit")}
    now = {unit.pk: str(unit) for unit in entry.hosts}
    if then.keys() != now.keys():  # not their names: many a chi đoàn is called “Chi đoàn 1”
        changes.append([HOSTS, *(", ".join(sorted(names.values())) for names in (then, now))])
    return changes


def _shown(activity, name):
    value = getattr(activity, name)
    if name in ("unit_id", "kind_id"):
        return str(getattr(activity, name.removesuffix("_id")))
    if name == "work_level":
        return activity.get_work_level_display()
    return format_date(value) if name.endswith("_day") else value


def _number(indicator, figures):
    value, word = figures.get(indicator, (None, ""))
    return f"{word} {format_number(value, indicator.decimals)}".strip()
