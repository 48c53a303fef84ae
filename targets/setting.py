"""Setting a chỉ tiêu: writing it down with its measures, and changing it."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from targets import notes
from targets.models import Measure, MeasureKind, MeasureVersion, Target
from targets.usage import used
from unionwork.dates import format_date
from unionwork.text import nfc
from unionwork.verbs import verb
from units import journal
from units.models import Level, Placement, Unit
from units.tree import ancestor_ids

LETTERS = "abcdefghijklmnopqrstuvwxyz"
EDITABLE = {"number", "text", "group", "join", "answers", "note"}  # what an edit may change
ASKED = ("value", "floor", "deadline")  # what a measure asks of everybody: its versions


class Stale(ValidationError):
    """Somebody else changed it after this page was opened."""


@dataclass
class Draft:
    """A measure as it should become. `pk`: the measure it replaces; None for a new one. Scales: `Measure.value`."""

    kind: str
    pk: int | None = None
    letter: str = ""
    text: str = ""
    indicators: list = field(default_factory=list)
    denominators: list = field(default_factory=list)
    value: int | None = None
    floor: int | None = None
    level: str = Level.BASE
    sector: str = ""
    deadline: date | None = None
    year_end_only: bool = False


@verb("Thêm chỉ tiêu")
def create_target(*, year, issuer, number, text, measures, actor, **fields):
    """Write a new target of `issuer` with its measures (`Draft`s), unissued unless `issued_on` says so.

    Raises ValidationError.
    """
    _check_open(year)
    target = Target(year=year, issuer=issuer, number=number, text=nfc(text), **fields)
    target.full_clean()
    _check_answers(target)
    _check_drafts(measures, year)
    try:
        with transaction.atomic():
            target.save(force_insert=True)
    except IntegrityError as error:  # a double tap: the other request came first
        raise ValidationError({"number": "Đơn vị đã có chỉ tiêu mang số này trong năm."}) from error
    _write_measures(target, measures, existing={})
    changes = notes.changes({}, notes.state(target))
    journal.write([notes.note(create_target.code, target, actor, changes=changes)])
    return target


@verb("Sửa chỉ tiêu")
def edit_target(*, target, measures, actor, reason="", seen=None, **fields):
    """Change a target of an open year; `measures` replace all it has. Year and issuing unit stay.

    A measure that was given to units or is used by records keeps its identity: it is not deleted, nor counted in
    another way. What an issued target asks changes by a new version (`MeasureVersion`) with a reason. Raises `Stale`
    when the target is no longer what `fingerprint` said (`seen`), and ValidationError.
    """
    if set(fields) - EDITABLE:
        raise TypeError(f"A target's {', '.join(sorted(set(fields) - EDITABLE))} cannot be edited.")
    target = Target.objects.select_for_update().get(pk=target.pk)
    existing = {measure.pk: measure for measure in _measures_of(target)}
    if seen is not None and seen != _fingerprint(target, existing.values()):
        raise Stale("Chỉ tiêu này vừa được người khác sửa. Xem nội dung mới rồi sửa lại.")
    _check_open(target.year)
    before = notes.state(target)
    for name, value in fields.items():
        setattr(target, name, nfc(value) if isinstance(value, str) else value)
    target.full_clean()
    _check_answers(target)
    _check_drafts(measures, target.year)
    _check_kept(existing, measures)
    if target.issued_on:
        _write_versions(target, existing, measures, actor=actor, reason=reason.strip())
    target.save(update_fields=sorted(fields))
    _write_measures(target, measures, existing)
    if changes := notes.changes(before, notes.state(target)):
        journal.write([notes.note(edit_target.code, target, actor, reason=reason.strip(), changes=changes)])
    return target


def draft_of(measure):
    """A measure as it is, to be changed or copied. Expects indicators prefetched."""
    names = ("pk", "letter", "kind", "text", "value", "floor", "level", "sector", "deadline", "year_end_only")
    return Draft(
        **{name: getattr(measure, name) for name in names},
        indicators=list(measure.indicators.all()),
        denominators=list(measure.denominators.all()),
    )


def why_kept(target):
    """Why a target cannot be deleted, in words; "" when it can: a draft of an open year that nothing refers to."""
    if not target.year.is_open:
        return f"Năm công tác {target.year} đã đóng nên không xoá chỉ tiêu được nữa."
    if target.issued_on:
        return f"Chỉ tiêu {target.number} đã ban hành nên không xoá được."
    if used(Target, [target.pk]):
        return f"Có chỉ tiêu của cấp dưới thực hiện chỉ tiêu {target.number} nên không xoá được."
    if used(Measure, list(target.measures.values_list("pk", flat=True))):
        return f"Chỉ tiêu {target.number} đã có số giao, số đăng ký hoặc số liệu nên không xoá được."
    return ""


@verb("Xoá chỉ tiêu")
def delete_target(*, target, actor):
    """Throw a draft target away, with its measures and the numbers being drafted for it. Raises ValidationError."""
    target = Target.objects.select_for_update(of=("self",)).select_related("year").get(pk=target.pk)
    if refusal := why_kept(target):
        raise ValidationError(refusal)
    changes = notes.changes(notes.state(target), {})
    Target.objects.filter(pk=target.pk).delete()  # the instance keeps the key that the journal names
    journal.write([notes.note(delete_target.code, target, actor, changes=changes)])


def fingerprint(target):
    """What a form saw when it was opened: changes with anything `edit_target` can change."""
    return _fingerprint(target, _measures_of(target))


def check_measure(draft, year):
    """What one measure must be by its kind. Raises ValidationError with the draft's fields."""
    errors = {
        MeasureKind.TOTAL: _check_total,
        MeasureKind.RATE: _check_rate,
        MeasureKind.COVERAGE: _check_coverage,
        MeasureKind.MILESTONE: _check_milestone,
    }[draft.kind](draft)
    if draft.deadline and not year.first_day <= draft.deadline <= year.last_day:
        days = f"{format_date(year.first_day)} đến {format_date(year.last_day)}"
        errors["deadline"] = f"Hạn phải trong năm công tác ({days})."
    if errors:
        raise ValidationError(errors)


def _check_open(year):
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không thêm, sửa chỉ tiêu được nữa.")


def _check_answers(target):
    """A target answers one of the same year, issued higher up the line."""
    if target.answers is None:
        return
    path = Placement.objects.filter(unit=target.issuer_id, year=target.year_id).values_list("path", flat=True).first()
    above = ancestor_ids(path or "")[:-1]
    if target.answers.year_id != target.year_id or target.answers.issuer_id not in above:
        raise ValidationError({"answers": "Chọn một chỉ tiêu của cấp trên trong cùng năm."})


def _check_drafts(drafts, year):
    if not drafts:
        raise ValidationError("Chỉ tiêu cần ít nhất một ý đo được.")
    if len(drafts) > len(LETTERS):
        raise ValidationError(f"Một chỉ tiêu có nhiều nhất {len(LETTERS)} ý.")
    for draft in drafts:
        check_measure(draft, year)
    letters = [draft.letter for draft in drafts if draft.letter]
    if len(letters) > len(set(letters)):
        raise ValidationError("Hai ý của chỉ tiêu mang cùng một chữ.")


def _check_total(draft):
    errors = _check_indicators(draft)
    if draft.denominators:
        errors["denominators"] = "“Tổng” không có mẫu số; cần mẫu số thì chọn “Tỷ lệ”."
    if draft.sector:
        errors["sector"] = "“Tổng” tính mọi đơn vị, không riêng một khối đối tượng."
    return errors | _check_plan(draft) | _check_no_floor(draft)


def _check_rate(draft):
    errors = _check_indicators(draft)
    if not draft.denominators:
        errors["denominators"] = "Chọn mẫu số: chia cho số nào?"
    elif len({row.decimals for row in [*draft.indicators, *draft.denominators]}) > 1:
        errors["denominators"] = "Tử số và mẫu số phải cùng số chữ số lẻ mới chia được cho nhau."
    elif set(draft.denominators) == set(draft.indicators):
        errors["denominators"] = "Tử số và mẫu số là một nên tỷ lệ luôn bằng 100%."
    else:
        errors |= _check_apart("denominators", draft.denominators)
    return errors | _check_plan(draft) | _check_no_floor(draft)


def _check_coverage(draft):
    errors = _check_indicators(draft)
    if draft.denominators:
        errors["denominators"] = "“Độ phủ” đếm đơn vị nên không có mẫu số."
    if not draft.floor:
        errors["floor"] = "Mỗi đơn vị phải đạt ít nhất bao nhiêu? Nhập số từ 1 trở lên."
    return errors | _check_plan(draft)


def _check_milestone(draft):
    errors = _check_no_floor(draft)
    for name in ("indicators", "denominators"):
        if getattr(draft, name):
            errors[name] = "“Mốc” không đo bằng chỉ số."
    if draft.value is not None:
        errors["value"] = "“Mốc” không có giá trị kế hoạch, chỉ có hạn."
    return errors


def _check_plan(draft):
    """A plan above nothing, and no share above the whole."""
    if not draft.value:
        return {"value": "Nhập kế hoạch, lớn hơn 0."}
    if draft.kind != MeasureKind.TOTAL and draft.value > 10_000:
        return {"value": "Tỷ lệ kế hoạch không quá 100%."}
    return {}


def _check_no_floor(draft):
    return {"floor": "Chỉ “Độ phủ” mới có ngưỡng."} if draft.floor is not None else {}


def _check_indicators(draft):
    """At least one, of one scale, none inside another (it would count twice)."""
    if not draft.indicators:
        return {"indicators": "Chọn ít nhất một chỉ số."}
    if len({row.decimals for row in draft.indicators}) > 1:
        names = " và ".join(f"“{row.name}”" for row in draft.indicators)
        return {"indicators": f"{names} khác số chữ số lẻ nên không cộng chung được."}
    return _check_apart("indicators", draft.indicators)


def _check_apart(name, indicators):
    for row in indicators:
        whole = row.part_of
        while whole:
            if whole in indicators:
                return {name: f"“{row.name}” đã nằm trong “{whole.name}”: cộng cả hai sẽ tính hai lần."}
            whole = whole.part_of
    return {}


def _check_kept(existing, drafts):
    kept = {draft.pk: draft for draft in drafts if draft.pk}
    if set(kept) - set(existing):
        raise Stale("Một ý của chỉ tiêu không còn nữa. Xem nội dung mới rồi sửa lại.")
    touched = {pk: row for pk, row in existing.items() if pk not in kept or _counts_otherwise(row, kept[pk])}
    for pk in sorted(used(Measure, list(touched))):
        act = "bỏ" if pk not in kept else "đổi cách tính, chỉ số, mẫu số của"
        raise ValidationError(
            f"Không {act} ý {existing[pk].letter} được vì đã giao cho đơn vị hoặc đã có số liệu. "
            "Cần đổi thì thêm một ý mới."
        )


def _counts_otherwise(measure, draft):
    return (
        measure.kind != draft.kind
        or set(measure.indicators.all()) != set(draft.indicators)
        or set(measure.denominators.all()) != set(draft.denominators)
    )


def _write_versions(target, existing, drafts, *, actor, reason):
    """A version of every measure that asks something else from today; of its first state too, when it has none yet."""
    changed = [
        (existing[draft.pk], draft) for draft in drafts if draft.pk and _asks_otherwise(existing[draft.pk], draft)
    ]
    if changed and not reason:
        letters = ", ".join(measure.letter for measure, _ in changed)
        raise ValidationError({"reason": f"Ghi lý do vì kế hoạch đã ban hành bị sửa (ý {letters})."})
    for measure, draft in changed:
        number = measure.versions.count()
        rows = [(draft, timezone.localdate(), reason)]
        if not number:
            rows.insert(0, (measure, target.issued_on, ""))
        MeasureVersion.objects.bulk_create(
            MeasureVersion(
                measure=measure,
                number=number + place,
                in_force_from=since,
                reason=why,
                actor=actor,
                **{name: getattr(state, name) for name in ASKED},
            )
            for place, (state, since, why) in enumerate(rows, 1)
        )


def _asks_otherwise(measure, draft):
    return any(getattr(measure, name) != getattr(draft, name) for name in ASKED)


def _write_measures(target, drafts, existing):
    kept = {draft.pk for draft in drafts if draft.pk}
    gone = [pk for pk in existing if pk not in kept]
    if gone:
        Measure.objects.filter(pk__in=gone).delete()
    taken = {draft.letter or existing[draft.pk].letter for draft in drafts if draft.letter or draft.pk}
    free = iter(letter for letter in LETTERS if letter not in taken)
    for draft in drafts:
        measure = existing.get(draft.pk) or Measure(target=target)
        measure.letter = draft.letter or measure.letter if draft.pk else draft.letter or next(free)
        for name in ("kind", "value", "floor", "level", "deadline", "year_end_only"):
            setattr(measure, name, getattr(draft, name))
        measure.text, measure.sector = nfc(draft.text), _known_sector(draft.sector)
        measure.full_clean()
        measure.save()
        measure.indicators.set(draft.indicators)
        measure.denominators.set(draft.denominators)


def _known_sector(text):
    """The spelling under which units already carry this label: sectors are compared letter by letter."""
    text = nfc(text)
    if not text:
        return ""
    known = Unit.objects.exclude(sector="").order_by("sector").values_list("sector", flat=True).distinct()
    return next((sector for sector in known if sector.casefold() == text.casefold()), text)


def _measures_of(target):
    return target.measures.prefetch_related("indicators", "denominators")


def _fingerprint(target, measures):
    seen = [
        [str(getattr(target, name)) for name in sorted(EDITABLE - {"answers"})],
        target.answers_id,
        target.issued_on,
    ]
    for row in measures:
        names = ("pk", "letter", "text", "kind", "value", "floor", "level", "sector", "deadline", "year_end_only")
        codes = [sorted(each.code for each in rows.all()) for rows in (row.indicators, row.denominators)]
        seen.append([*(str(getattr(row, name)) for name in names), *codes])
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]
