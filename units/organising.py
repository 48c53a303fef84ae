"""Adding units, renaming them, correcting what is known about them. Moving one is `activities.moving`."""

import re
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from unionwork.dates import format_date
from unionwork.text import fold, nfc
from unionwork.verbs import verb
from units import journal, tree
from units.models import Cluster, Level, Placement, Unit

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
RESERVED = {"them", "tim"}  # addresses of pages
DEPTH = {level: depth for depth, level in enumerate(Level.values)}
FACTS = ("code", "name", "short_name", "kind", "sector", "founded", "dissolved", "successor")


@contextmanager
def _one_code():
    """A code taken by somebody else a moment ago is an error of the form, not of the program."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError({"code": "Đã có đơn vị mang mã này."}) from error


@verb("Thêm đơn vị")
def add_unit(
    *, code, name, kind, parent, actor, short_name="", sector="", founded=None, dissolved=None, successor=None
):
    """A new unit under `parent` (None: a root) in every open year that knows both. Raises ValidationError by field."""
    unit = Unit(
        code=code,
        name=name,
        kind=kind,
        short_name=short_name,
        sector=nfc(sector),
        founded=founded,
        dissolved=dissolved,
        successor=successor,
    )
    check_code(code)
    check(unit)
    check_superior(unit, parent)
    tree.lock_exclusive()  # before the code is taken: who waits for it may hold the tree
    if Unit.objects.filter(code__iexact=code).exists():
        raise ValidationError({"code": "Đã có đơn vị mang mã này."})
    with _one_code():
        unit.save(force_insert=True)
    tree.place(unit=unit, parent=parent)
    note_added([(unit, parent)], actor=actor)
    return unit


@verb("Thêm đơn vị")
def add_many(*, units, actor):
    """Write checked new units in few statements. Their places and the journal are the caller's: `tree.place_many`,
    then `note_added`, when the superiors are known."""
    for unit in units:
        unit.sector = nfc(unit.sector)
        unit.prepare()
    return Unit.objects.bulk_create(units, batch_size=500)


def note_added(pairs, *, actor):
    """The journal's entries of new (unit, superior): one a unit, in one call however many."""
    journal.write(
        journal.Note(
            add_unit.code,
            unit,
            actor,
            unit=unit.pk,
            label=unit.name,
            changes=_changes({}, _facts(unit)) + journal.changed([("Trực thuộc", "", parent and parent.name)]),
        )
        for unit, parent in pairs
    )


@verb("Đổi tên đơn vị")
def rename_unit(*, unit, name, short_name, was, actor):
    """Give a unit new names; the old name stays searchable. Refused when its name is no longer `was` (a stale form)."""
    now = _locked(unit)
    if now.name != nfc(was):
        raise ValidationError(f"Đơn vị vừa được người khác đổi tên thành “{now.name}”. Xem lại rồi lưu.")
    return _write(now, {"name": name, "short_name": short_name}, rename_unit, actor)


@verb("Sửa đơn vị")
def update_unit(*, unit, actor, **values):
    """Correct what is known about a unit: names, kind, sector, dates, successor. Returns whether anything changed.

    A new name keeps the old one searchable; a new kind changes the level in the open years' trees.
    """
    tree.lock_exclusive()  # a new kind changes it, and it is locked before any unit
    return _write(_locked(unit), values, update_unit, actor)


def _locked(unit):
    """The unit as it is now. Its key stays free for the rows of others that point to it: whoever holds an end of the
    journal still adds such rows."""
    return Unit.objects.select_for_update(of=("self",), no_key=True).get(pk=unit.pk)


def _write(unit, values, act, actor):
    """Save what differs. `unit` is locked by the caller."""
    values = {field: nfc(value) if isinstance(value, str) else value for field, value in values.items()}
    changed = {field for field, value in values.items() if getattr(unit, field) != value}
    if not changed:
        return False
    old_name, before = unit.name, _facts(unit)
    for field in changed:
        setattr(unit, field, values[field])
    check(unit)
    if "name" in changed:
        earlier = [name for name in unit.former_names.splitlines() if name not in (old_name, unit.name)]
        unit.former_names = "\n".join([*earlier, old_name])
    unit.save(update_fields={*changed, "former_names"})
    if "kind" in changed:
        tree.set_level(unit=unit, level=unit.kind.level)
    changes = _changes(before, _facts(unit))
    journal.write([journal.Note(act.code, unit, actor, unit=unit.pk, label=unit.name, changes=changes)])
    return True


def _facts(unit):
    """{field: in words} of what is known about a unit."""
    facts = {name: getattr(unit, name) for name in FACTS}
    return facts | {name: format_date(facts[name]) for name in ("founded", "dissolved")}


def _changes(before, after):
    labels = {name: Unit._meta.get_field(name).verbose_name for name in FACTS}
    return journal.changed(
        (label[:1].upper() + label[1:], before.get(name), after[name]) for name, label in labels.items()
    )


@verb("Ghi cơ cấu theo văn bản")
def state_parts(*, unit, parts, actor, total=None):
    """Note the structure as the unit's documents word it: {"đoàn cơ sở": 13, …}, and the total they name, if any."""
    stated = {nfc(label): number for label, number in parts.items() if nfc(label)}
    if total is not None:
        stated["_total"] = total
    if any(type(number) is not int or number < 0 for number in stated.values()):
        raise ValidationError({"stated_parts": "Mỗi phần là một số nguyên từ 0 trở lên."})
    changes = journal.changed(
        ("Tổng nêu trong văn bản" if label == "_total" else label, unit.stated_parts.get(label), stated.get(label))
        for label in {**unit.stated_parts, **stated}
    )
    unit.stated_parts = stated
    unit.save(update_fields={"stated_parts"})
    if changes:
        journal.write([journal.Note(state_parts.code, unit, actor, unit=unit.pk, label=unit.name, changes=changes)])


@verb("Lập cụm thi đua")
def form_cluster(*, year, organizer, name, members, actor):
    """Group units that compete with each other in `year`; the same name again sets the members anew."""
    cluster, is_new = Cluster.objects.get_or_create(year=year, organizer=organizer, name=nfc(name))
    before = _listed(cluster)
    cluster.members.set(members)
    changes = journal.changed([("Đơn vị trong cụm", before, _listed(cluster))])
    if is_new or changes:
        note = journal.Note(form_cluster.code, cluster, actor, unit=organizer.pk, year=year, changes=changes)
        journal.write([note])
    return cluster


def _listed(cluster):
    return "; ".join(unit.label for unit in cluster.members.order_by("sort", "pk"))


def check_code(code):
    """Raises ValidationError unless `code` may name a new unit: it stands in addresses and in workbooks."""
    if not CODE.fullmatch(code):
        raise ValidationError(
            {"code": "Mã chỉ gồm chữ cái không dấu, chữ số và . - _, bắt đầu bằng chữ hoặc số, ví dụ DK-TINH.01."}
        )
    if fold(code) in RESERVED:
        raise ValidationError({"code": f"Mã “{code}” dành riêng cho hệ thống; chọn mã khác."})


def check(unit):
    """Raises ValidationError by field for what may never be true of one unit."""
    errors = {}
    if not nfc(unit.name):
        errors["name"] = "Nhập tên đơn vị."
    if unit.founded and unit.dissolved and unit.dissolved < unit.founded:
        errors["dissolved"] = "Ngày giải thể phải sau ngày thành lập."
    if unit.successor and not unit.dissolved:
        errors["dissolved"] = "Đã có đơn vị kế thừa thì ghi ngày giải thể."
    heir, seen = unit.successor, set()
    while heir and heir.pk not in seen:
        seen.add(heir.pk)
        if heir is unit or (unit.pk and heir.pk == unit.pk):
            errors["successor"] = "Đơn vị không thể kế thừa chính mình, kể cả qua đơn vị khác."
            break
        heir = heir.successor
    if errors:
        raise ValidationError(errors)


def check_superior(unit, parent):
    """A living unit never stands under one of a lower level (a tỉnh đoàn under a chi đoàn)."""
    if parent and not unit.dissolved and DEPTH[unit.kind.level] < DEPTH[parent.kind.level]:
        above = f"{parent.kind.name.lower()} “{parent}”"
        raise ValidationError({"parent": f"{unit.kind} không thể trực thuộc {above}: cấp trên ở cấp thấp hơn."})


def check_below(unit):
    """A unit whose kind changed still suits the living units under it in today's tree. Raises ValidationError."""
    for row in Placement.objects.current().filter(parent=unit, unit__dissolved=None).in_order():
        if DEPTH[row.unit.kind.level] < DEPTH[unit.kind.level]:
            below = f"{row.unit.kind.name.lower()} “{row.unit}”"
            raise ValidationError({"kind": f"{unit.kind} ở cấp thấp hơn {below} đang trực thuộc đơn vị này."})
