"""Doubts about a record that is being sent: said before it goes, answered once by its writer, shown to the reviewer.

None of them stops anybody: they hold for the records of one day, not for all. `known` reads, the rest is pure.
"""

import re
from dataclasses import dataclass
from statistics import median_high

from activities import level_changes
from activities.models import Activity, Doubt, RecordNature
from activities.rules import entries_of
from activities.writing.known import known_about, known_about_each
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.text import fold
from unionwork.verbs import verb

TIMES_USUAL = 3
ENOUGH = 3  # records that make a habit
TELLING = 10  # smaller figures are equal by chance
PERSONS = {"người", "đoàn viên", "thanh niên", "đoàn viên, thanh niên"}
CHECKED = "Đã kiểm tra lại, số liệu đúng."


@dataclass(frozen=True)
class Warning:
    """One doubt in words; `record`: what the writer may open to compare, if anything."""

    code: str
    sentence: str
    record: Activity | None = None


class Unanswered(Exception):
    """There are warnings the writer has not seen or not answered yet."""

    def __init__(self, warnings, *, was_asked):
        super().__init__()
        self.warnings, self.was_asked = warnings, was_asked


@verb("Trả lời cảnh báo")
def answer(*, entry, rules, asked=(), reason=""):
    """Keep the warnings of a record that was just sent, and the writer's one answer to them.

    `asked`: the codes, or the sentences, the writer has seen. What was answered in the same words before is not asked
    again. Raises `Unanswered`: the caller takes the sending back.
    """
    activity = entry.activity
    if rules.kinds[activity.kind_id].nature == RecordNature.MILESTONE:
        return
    found = warnings_of(entry, known_about(entry, rules), rules)
    pairs, new = [[warning.code, warning.sentence] for warning in found], unanswered(activity, found)
    reason = reason or ("" if new else activity.warning_reason)
    if any(not {warning.code, warning.sentence} & {*asked} for warning in new):
        raise Unanswered(found, was_asked=False)
    if pairs and not reason:
        raise Unanswered(found, was_asked=True)
    if not pairs and not activity.warnings:
        return
    activity.warnings, activity.warning_reason = pairs, reason if pairs else ""
    Activity.objects.filter(pk=activity.pk).update(warnings=pairs, warning_reason=activity.warning_reason)


def unanswered(activity, found):
    """Those of the warnings `found` that its writer has not answered in the same words before."""
    told = activity.warnings if activity.warning_reason else []
    return [warning for warning in found if [warning.code, warning.sentence] not in told]


def asked_before(form):
    """[(what the form sends back, words)] of the doubts its writer saw, when it comes back for another reason: the
    answer stays in sight."""
    if form.doubts or form.source is None:
        return []
    labels = dict(Doubt.choices)
    return [(asked, labels.get(asked, asked)) for asked in dict.fromkeys(form.source.getlist("da-hoi"))]


def of_saved(activity, rules):
    """[Warning] of a record as it is saved."""
    return of_each(entries_of([activity], rules), rules)[0]


def of_each(entries, rules):
    """The [Warning] of each of `entries` of saved records, in their order: few statements, however many."""
    known = known_about_each(entries, rules)
    return [warnings_of(entry, each, rules) for entry, each in zip(entries, known, strict=True)]


def warnings_of(entry, known, rules):
    """[Warning] of what `entry` says beside what is `known`; milestones have none."""
    nature = rules.kinds[entry.activity.kind_id].nature
    figures = {indicator: parsed.value for indicator, parsed in entry.figures.items() if parsed.value is not None}
    if nature != RecordNature.FLOW:
        return list(_moved(figures, known)) if nature == RecordNature.STOCK else []
    return [
        *_unusual(figures, known),
        *_too_many(entry, figures, known),
        *_more_persons_than_times(figures),
        *_twins(known),
        *_joint(entry, figures, known, rules),
        *_without_evidence(entry, figures, known, rules),
        *_reused(known),
    ]


def _said(indicator, value):
    return f"“{indicator}” {indicator.format(value)} {indicator.unit_of_measure}"


def _moved(figures, known):
    for indicator, value in figures.items():
        level = known.levels.get(indicator.pk)
        if level is not None and level_changes.is_big(level.value, value):
            yield Warning(Doubt.CHANGE, level_changes.sentence(indicator, level, value))


def _unusual(figures, known):
    for indicator, value in figures.items():
        values = known.usual.get(indicator.pk, [])
        usual = median_high(values) if len(values) >= ENOUGH else 0
        if usual and value > TIMES_USUAL * usual:
            yield Warning(
                Doubt.UNUSUAL,
                f"{_said(indicator, value)} gấp hơn {TIMES_USUAL} lần mức thường của đơn vị "
                f"({indicator.format(usual)}).",
            )


def _too_many(entry, figures, known):
    """People taking part are counted once on one day; over several days times may well exceed the members.

    How many a partner has is not the writer's to learn: of several units the number is not said.
    """
    one_day = entry.activity.first_day == entry.activity.last_day
    how_many = "" if entry.hosts else f" ({format_number(known.members)})"
    for indicator, value in figures.items():
        name, unit = fold(indicator.name), indicator.unit_of_measure
        takes_part = "tham gia" in name and ("doan vien" in name or "thanh nien" in name)
        counted_once = unit in PERSONS or (unit == "lượt" and one_day and takes_part)
        if counted_once and known.members is not None and value > known.members * 10**indicator.decimals:
            yield Warning(
                Doubt.MEMBERS,
                f"{_said(indicator, value)} nhiều hơn số đoàn viên, thanh niên đã kê khai{how_many}.",
            )


def _more_persons_than_times(figures):
    """One form, one event: whoever was there was there at least once."""
    persons = [one for one in figures.items() if one[0].unit_of_measure == "người"]
    times = [one for one in figures.items() if one[0].unit_of_measure == "lượt"]
    if persons and times:
        person, most_persons = max(persons, key=lambda one: one[1])
        time, most_times = max(times, key=lambda one: one[1])
        if most_persons > most_times:
            yield Warning(
                Doubt.PERSONS,
                f"{_said(person, most_persons)} nhiều hơn {_said(time, most_times)}: số lượt không ít hơn số người.",
            )


def _twins(known):
    for twin in known.twins:
        sentence = f"Đơn vị đã ghi {twin.code} “{twin.title}” cùng loại, cùng ngày: có thể trùng."
        yield Warning(Doubt.TWIN, sentence, twin)


def _joint(entry, figures, known, rules):
    """The same event as another unit saw it: its title, or its figures. Titles that the form suggested say nothing."""
    activity, partners = entry.activity, {unit.pk for unit in entry.hosts}
    kind = rules.kinds[activity.kind_id]
    title = fold(activity.title)
    speaks = title and not is_suggested(title, kind)
    mine = {(indicator.pk, value) for indicator, value in figures.items() if value >= TELLING}
    for other, theirs in known.neighbours:
        same_title = speaks and fold(other.title) == title
        same_figures = other.kind_id == activity.kind_id and len(mine & set(theirs.items())) >= 2
        if other.unit_id not in partners and (same_title or same_figures):
            yield Warning(
                Doubt.JOINT,
                f"“{other.unit}” đã ghi một hoạt động giống thế này ngày {format_date(other.last_day)} ({other.code}). "
                "Nếu hai đơn vị cùng làm: chỉ một đơn vị ghi, đơn vị kia ở mục “Phối hợp với”.",
            )


def is_suggested(title, kind):
    """Whether a title says no more than the form's own suggestion: "Hiến máu tình nguyện đợt 2"."""
    return re.fullmatch(rf"{re.escape(fold(kind.name))}( (dot|so) \d+)?", fold(title)) is not None


def _without_evidence(entry, figures, known, rules):
    """A công trình and sums of money are what auditors ask to see; a photo of every meeting would be a burden."""
    kind = rules.kinds[entry.activity.kind_id]
    money = any(indicator.unit_of_measure == "đồng" and value for indicator, value in figures.items())
    if (kind.has_work_level or money) and not known.has_evidence:
        what = "công trình" if kind.has_work_level else "số tiền"
        yield Warning(Doubt.EVIDENCE, f"Chưa có ảnh hay văn bản minh chứng cho {what}.")


def _reused(known):
    """The writer sees the unit's own records only; the reviewer sees on the record's page where else a picture is."""
    again, latest = known.reused, known.shown_in
    if latest:
        more = f" và {len(again.records) - 1} hoạt động khác của đơn vị" if len(again.records) > 1 else ""
        sentence = f"{_pictures(again.mine)} đã dùng trong {latest.code} “{latest.title}”{more}."
        yield Warning(Doubt.REUSED, sentence, latest)
    if again.theirs:
        yield Warning(Doubt.REUSED, f"{_pictures(again.theirs)} đã dùng trong hoạt động của đơn vị khác.")


def _pictures(names):
    named = ", ".join(f"“{name}”" for name in names[:3])
    return f"Ảnh {named}" + (f" và {len(names) - 3} ảnh nữa" if len(names) > 3 else "")
