"""Writing a record down and changing it."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from activities import totals
from activities.models import EDITABLE, Activity, Event, Figure, Host, RecordNature, Status, Step
from activities.rules import Rules
from unionwork.dates import format_date
from unionwork.numbers import format_number
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


class Stale(ValidationError):
    """Somebody else changed the record after this form was opened."""


def create(*, entry, actor):
    """Write a new record as a draft. The same `form_key` twice gives the record that is already there."""
    already = Activity.objects.filter(form_key=entry.activity.form_key).first()
    if already:
        return already
    try:
        return create_many(entries=[entry], actor=actor)[0]
    except IntegrityError:  # a double tap: the other request came first
        return Activity.objects.get(form_key=entry.activity.form_key)


@transaction.atomic
def create_many(*, entries, actor, rules=None, settled=False):
    """Write new records as drafts, in few statements however many. `settled`: `rules.settle` was called already."""
    tree.lock_shared()
    rules = rules or Rules()
    for entry in entries:
        entry.activity.author = actor
        if not settled:
            rules.settle(entry)
    activities = [entry.activity for entry in entries]
    for activity in activities:
        activity.prepare()
    Activity.objects.bulk_create(activities, batch_size=500)
    Figure.objects.bulk_create((row for entry in entries for row in _figures(entry, rules)), batch_size=2000)
    Host.objects.bulk_create(
        (Host(activity=entry.activity, unit=unit) for entry in entries for unit in entry.hosts), batch_size=2000
    )
    Event.objects.bulk_create(
        (Event(activity=row, step=Step.CREATE, to_status=Status.DRAFT, actor=actor) for row in activities),
        batch_size=2000,
    )
    return activities


@transaction.atomic
def edit(*, entry, actor, version):
    """Change a record. An approved one goes back to waiting and leaves the totals until it is approved again.

    Raises `Stale` when the record is no longer at `version`.
    """
    tree.lock_shared()  # before the rules read which years are open: nobody closes one meanwhile
    rules = Rules()
    activity = entry.activity
    rules.settle(entry)
    is_level = rules.kinds[activity.kind_id].nature == RecordNature.STOCK
    into = {(activity.unit_id, activity.year_id)} if is_level else ()
    with totals.counting([activity.pk], into) as records:
        record = records[activity.pk]
        if record["version"] != version:
            raise Stale("Hoạt động này vừa được người khác sửa. Xem bản mới bên cạnh rồi lưu lại.")
        if record["status"] not in EDITABLE or not record["year__is_open"]:
            raise ValidationError(f"Không sửa được hoạt động ở trạng thái “{Status(record['status']).label}”.")
        before = Activity.objects.get(pk=activity.pk)
        changes = differences(before, entry, rules)
        if not changes:
            return activity
        status = Status.PENDING if record["status"] == Status.APPROVED else Status(record["status"])
        activity.prepare()
        activity.status, activity.version = status, version + 1
        if record["status"] == Status.APPROVED:
            activity.approver, activity.decided_at, activity.submitted_at = None, None, timezone.now()
        activity.save(force_update=True)
        activity.figures.all().delete()
        Figure.objects.bulk_create(_figures(entry, rules))
        activity.hosts.all().delete()
        Host.objects.bulk_create(Host(activity=activity, unit=unit) for unit in entry.hosts)
        Event.objects.create(
            activity=activity,
            step=Step.EDIT,
            from_status=record["status"],
            to_status=status,
            actor=actor,
            changes=changes,
        )
    return activity


def _figures(entry, rules):
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
    new = {row.indicator: (row.value, row.word) for row in _figures(entry, rules)}
    for indicator in sorted({*old, *new}, key=lambda i: (i.position, i.pk)):
        if old.get(indicator) != new.get(indicator):
            changes.append([str(indicator), _number(indicator, old), _number(indicator, new)])
    then = {row.unit_id: str(row.unit) for row in before.hosts.select_related("unit")}
    now = {unit.pk: str(unit) for unit in entry.hosts}
    if then.keys() != now.keys():  # not their names: many a chi đoàn is called “Chi đoàn 1”
        changes.append(["Đơn vị phối hợp", *(", ".join(sorted(names.values())) for names in (then, now))])
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
