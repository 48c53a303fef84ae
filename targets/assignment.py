"""Giving measures out: what each unit is given, what it registers, and every version of both."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.utils import timezone

from targets import notes
from targets.models import Assignment, AssignmentVersion, Measure, MeasureKind
from targets.setting import Stale
from targets.wording import plan_in_words
from unionwork.dates import format_date
from unionwork.verbs import verb
from units import journal
from units.models import Placement, Unit

KEEP = object()  # in a Row: leave this number as it is
NEW = 0  # the version of an assignment that is not there yet
LABELS_SHOWN = 5


@dataclass
class Row:
    """What one unit gets, in the measure's own scale. `version`: of the assignment the writer saw; None: whatever."""

    unit: Unit
    planned: object = KEEP
    registered: object = KEEP
    note: object = KEEP
    version: int | None = None


@verb("Giao chỉ tiêu")
def assign(*, measure, rows, actor, decision_number="", decision_date=None, reason="", decision=None):
    """Give a measure to many units at once, in force from now on. Returns (created, changed).

    Rows that say nothing new are left alone.

    A decision is noted on every row (`decision`: the `Decision` behind it, when it was issued here) and the numbers are
    in force from its day; without one the row keeps the decision it has, and they are in force from today. Changing a
    number already given needs a reason. Raises `Stale` when a row is no longer at the version the writer saw, and
    ValidationError. The journal gets an entry of every unit whose row changed, by few statements however many they are.
    """
    done = _put(measure, rows, actor, decision_number, decision_date, reason.strip(), decision)
    return _noted(assign, measure, done, actor=actor, reason=reason)


@verb("Đăng ký chỉ tiêu")
def register(*, measure, unit, registered, actor, version=None, reason=""):
    """What a unit proposes itself (đăng ký) for a measure. Returns (created, changed). Raises `Stale`,
    ValidationError."""
    row = Row(unit, registered=registered, version=version)
    done = _put(measure, [row], actor, "", None, reason.strip(), None)
    return _noted(register, measure, done, actor=actor, reason=reason)


def _put(measure, rows, actor, decision_number, decision_date, reason, decision):
    """Write what differs. Returns [(assignment, its unit, what it said before)]."""
    Measure.objects.select_for_update().get(pk=measure.pk)  # one writer of a measure at a time, also of its new rows
    _check(measure, rows)
    units = [row.unit.pk for row in rows]
    now = {found.unit_id: found for found in Assignment.objects.filter(measure=measure, unit__in=units)}
    _check_versions(rows, now)
    new, changed, regiven, done = [], [], [], []
    for row in rows:
        before = now.get(row.unit.pk)
        after = before or Assignment(measure=measure, unit=row.unit, version=NEW)
        old = _state(after)
        after.planned = after.planned if row.planned is KEEP else row.planned
        after.registered = after.registered if row.registered is KEEP else row.registered
        after.note = after.note if row.note is KEEP else row.note
        after.decision_number = decision_number or after.decision_number
        after.decision_date = decision_date or after.decision_date
        if _state(after) == old or (
            before is None and after.planned is None and after.registered is None and not decision_number
        ):
            continue
        if old[0] is not None and after.planned != old[0]:
            regiven.append(row.unit)
        after.version += 1
        (changed if before else new).append(after)
        done.append((after, row.unit, old))
    if regiven and not reason:
        raise ValidationError({"reason": f"Ghi lý do vì có số đã giao bị sửa: {labels(regiven)}."})
    _write(new, changed, decision_date or timezone.localdate(), actor=actor, reason=reason, decision=decision)
    return done


def _noted(act, measure, done, *, actor, reason):
    """Tell the journal what was written. Returns (created, changed)."""
    prefetch_related_objects([measure], "indicators")
    journal.write(
        journal.Note(
            act.code,
            row,
            actor,
            unit=unit.pk,
            year=measure.target.year_id,
            label=f"{notes.measure_title(measure)} → {unit.label}",
            reason=reason,
            changes=journal.changed(
                (what, show(measure, before), show(measure, after))
                for (what, show), before, after in zip(_SHOWN, old, _state(row), strict=True)
            ),
        )
        for row, unit, old in done
    )
    created = sum(1 for row, _, _ in done if row.version == NEW + 1)
    return created, len(done) - created


def _number(measure, value):
    return "" if value is None else plan_in_words(measure, value)


# How the journal calls and shows the parts of `_state`.
_SHOWN = (
    ("Giao", _number),
    ("Đăng ký", _number),
    ("Số quyết định", lambda measure, value: value),
    ("Ngày quyết định", lambda measure, value: format_date(value)),
    ("Ghi chú", lambda measure, value: value),
)


def _state(row):
    return row.planned, row.registered, row.decision_number, row.decision_date, row.note


def _check(measure, rows):
    year = measure.target.year
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không giao chỉ tiêu được nữa.")
    for row in rows:
        check_row(measure, row)
    _check_below(measure, year, [row.unit for row in rows])


def check_row(measure, row):
    """What a unit can be given or register of this kind of measure. Raises ValidationError by the field of the row."""
    for name in ("planned", "registered"):
        value = getattr(row, name)
        if not isinstance(value, int):
            continue
        if measure.kind == MeasureKind.MILESTONE:
            raise ValidationError({name: "“Mốc” áp dụng chung cho mọi đơn vị cấp dưới, không giao số."})
        if measure.kind != MeasureKind.TOTAL and value > 10_000:
            raise ValidationError({name: "Tỷ lệ không quá 100%."})
    if isinstance(row.planned, int) and row.unit.pk == measure.target.issuer_id:
        message = f"{row.unit.label} ban hành chỉ tiêu này: kế hoạch của chính mình ghi ở chỉ tiêu, không giao."
        raise ValidationError({"unit": message})


def _check_below(measure, year, units):
    """Measures go down the line of the unit that issued them."""
    issuer = measure.target.issuer
    paths = dict(Placement.objects.filter(year=year.pk, unit__in=[issuer, *units]).values_list("unit_id", "path"))
    top = paths.get(issuer.pk)
    outside = [unit for unit in units if top is None or not paths.get(unit.pk, "").startswith(top)]
    if outside:
        raise ValidationError(
            {"unit": f"{labels(outside)}: không thuộc {issuer} trong cây đơn vị năm {year} nên không giao được."}
        )
    if len(set(units)) < len(units):
        raise ValidationError("Một đơn vị ghi hai lần.")


def _check_versions(rows, now):
    """A number that another person has written since is never overwritten unseen."""
    moved = [
        row.unit
        for row in rows
        if row.version is not None and row.version != (now[row.unit.pk].version if row.unit.pk in now else NEW)
    ]
    if moved:
        raise Stale(f"Vừa có người khác sửa số của {labels(moved)}. Số mới ghi cạnh ô nhập; xem lại rồi lưu lần nữa.")


def labels(units):
    """Units by name, the first few of many."""
    labels = [unit.label for unit in units]
    more = len(labels) - LABELS_SHOWN
    return ", ".join(labels[:LABELS_SHOWN]) + (f" và {more} đơn vị khác" if more > 0 else "")


def _write(new, changed, since, *, actor, reason, decision):
    Assignment.objects.bulk_create(new, batch_size=1000)
    Assignment.objects.bulk_update(
        changed, ["planned", "registered", "decision_number", "decision_date", "note", "version"], batch_size=500
    )
    AssignmentVersion.objects.bulk_create(
        (
            AssignmentVersion(
                assignment=row,
                number=row.version,
                planned=row.planned,
                registered=row.registered,
                decision_number=row.decision_number,
                decision_date=row.decision_date,
                decision=decision,
                in_force_from=since,
                note=row.note,
                reason=reason,
                actor=actor,
            )
            for row in [*new, *changed]
        ),
        batch_size=1000,
    )
