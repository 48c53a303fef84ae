"""What the journal says of a chỉ tiêu: how it is called, and what a change made of it, in words."""

from targets.models import Measure
from targets.scale import floor_scale
from targets.wording import plan_in_words
from unionwork.dates import format_date
from unionwork.numbers import format_number
from units import journal

FIELDS = {
    "number": "Số",
    "text": "Nội dung",
    "group": "Nhóm",
    "join": "Đạt khi đạt",
    "answers": "Thực hiện chỉ tiêu của cấp trên",
    "note": "Ghi chú",
    "issued_on": "Ban hành ngày",
}


def title(target):
    return f"Chỉ tiêu {target.number} năm {target.year_id}: {target.text}"


def measure_title(measure):
    return f"Chỉ tiêu {measure} năm {measure.target.year_id}"


def note(verb, target, actor, **fields):
    """The journal's entry about a target: of its issuing unit and its year."""
    return journal.Note(
        verb, target, actor, unit=target.issuer_id, year=target.year_id, **({"label": title(target)} | fields)
    )


def state(target):
    """{what: in words} of a target and its measures as they are stored now. Three statements."""
    said = {label: _shown(target, name) for name, label in FIELDS.items()}
    measures = Measure.objects.filter(target=target).prefetch_related("indicators", "denominators")
    return said | {f"Ý {measure.letter}": _measure(measure) for measure in measures.order_by("letter")}


def changes(before, after):
    """[[what, old, new]] between two states."""
    return journal.changed((what, before.get(what), after.get(what)) for what in {**before, **after})


def _shown(target, name):
    if name in ("group", "join"):
        return getattr(target, f"get_{name}_display")()
    if name == "issued_on":
        return format_date(target.issued_on)
    if name == "answers" and target.answers:
        return f"{target.answers.issuer}, {target.answers}"
    return getattr(target, name)


def _measure(measure):
    """A measure on one line: how it is counted, of what, and how much is asked of whom."""
    parts = [
        measure.get_kind_display(),
        measure.text,
        " + ".join(row.name for row in measure.indicators.all()),
        _named("chia cho", " + ".join(row.name for row in measure.denominators.all())),
        plan_in_words(measure, measure.value),
        _named("ngưỡng", _floor(measure)),
        _named("cấp", measure.get_level_display().lower() if measure.is_inherited else ""),
        _named("khối", measure.sector),
        _named("hạn", format_date(measure.deadline)),
        "chỉ đo cuối năm" if measure.year_end_only else "",
    ]
    return "; ".join(filter(None, parts))


def _named(word, text):
    return f"{word} {text}" if text else ""


def _floor(measure):
    if measure.floor is None:
        return ""
    decimals, unit = floor_scale(measure.indicators.all())
    return f"{format_number(measure.floor, decimals)} {unit}".strip()
