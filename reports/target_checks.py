"""What is missing or does not fit in the targets of a unit, each as a sentence with the place where it is mended."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Q

from reports.evaluation import evaluate
from targets import giving, intake, replies
from targets.assignment import labels
from targets.cascade import Source
from targets.giving import Standing
from targets.in_view import address
from targets.models import Assignment, DraftAssignment, MeasureKind, Nature, Target
from targets.wording import plan_in_words
from unionwork.dates import format_date
from unionwork.numbers import format_number
from units.models import Placement, Unit


class Kind(models.TextChoices):
    """In the order in which they are mended."""

    NO_INDICATOR = "chi-so", "Chưa rõ tính bằng chỉ số nào"
    NO_DENOMINATOR = "mau-so", "Chưa có số liệu ở mẫu số"
    DEADLINE = "han", "Hạn nằm ngoài năm công tác"
    NOT_GIVEN = "chua-giao", "Đơn vị trực thuộc chưa có số"
    UNDER_GIVEN = "giao-thieu", "Giao ít hơn được giao"
    REMARK = "y-kien", "Ý kiến của đơn vị trực thuộc"
    NOT_ISSUED = "chua-ban-hanh", "Chỉ tiêu chưa ban hành"
    WAITING = "ban-nhap", "Số trong bản nháp chờ ban hành"


@dataclass(frozen=True)
class Check:
    """`url`: where it is mended; `action`: what is done there."""

    kind: Kind
    sentence: str
    url: str
    action: str


def checks_for(unit, year, user):
    """[Check] of what `unit` itself set or was given in `year`, in the order of `Kind`. The number of statements does
    not depend on how many children or targets there are."""
    placement = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    found = _Checks(placement, year, user).found() if placement else []
    order = list(Kind)
    return sorted(found, key=lambda check: order.index(check.kind))


class _Checks:
    def __init__(self, placement, year, user):
        self.unit, self.year = placement.unit, year
        alive = Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=year.first_day)
        children = Placement.objects.filter(alive, year=year.pk, parent=self.unit)
        self.places = list(children.filter(unit__in=Unit.objects.visible_to(user)).in_order())
        self.children = [row.unit for row in self.places]
        targets = evaluate([placement], year, compare=False)[self.unit.pk]
        self.results = [row for target in targets for row in target.measures]
        measures = [row.measure.pk for row in self.results]
        own = Target.objects.filter(issuer=self.unit, year=year, answers__isnull=False)
        self.answered = set(own.values_list("answers_id", flat=True))
        ours = {"measure__in": measures, "unit__in": self.children}
        self.given = {(row.measure_id, row.unit_id): row for row in Assignment.objects.filter(**ours)}
        drafts = DraftAssignment.objects.filter(giver=self.unit, **ours)
        self.drafts = {(row.measure_id, row.unit_id): row for row in drafts}
        self.remarks = self._remarked(measures)
        self.waiting = giving.waiting(self.unit, year)

    def found(self):
        for row in self.results:
            if row.plan.source == Source.OWN:
                yield from self._written(row.measure)
            yield from self._denominator(row)
            if row.measure.kind == MeasureKind.TOTAL and row.measure.target_id not in self.answered:
                yield from self._given(row)
            yield from self._remarks(row.measure)
        yield from self._unissued()
        yield from self._waiting()

    def _name(self, measure):
        number = str(measure) if measure.siblings > 1 else str(measure.target.number)
        issuer = measure.target.issuer
        return f"Chỉ tiêu {number}" + ("" if issuer.pk == self.unit.pk else f" của {issuer}")

    def _address(self, name, *args):
        return address(name, *args, year=self.year, unit=self.unit)

    def _written(self, measure):
        """What the text of an own target lacks."""
        edit = (self._address("target_edit", measure.target_id), "Sửa chỉ tiêu")
        if measure.kind != MeasureKind.MILESTONE and not measure.indicators.all():
            yield Check(Kind.NO_INDICATOR, f"{self._name(measure)}: chưa chọn chỉ số nào để tính.", *edit)
        if measure.kind == MeasureKind.RATE and not measure.denominators.all():
            yield Check(Kind.NO_INDICATOR, f"{self._name(measure)}: tỷ lệ chưa có chỉ số ở mẫu số.", *edit)
        first, last = self.year.first_day, self.year.last_day
        if measure.deadline and not first <= measure.deadline <= last:
            days = f"{format_date(first)} đến {format_date(last)}"
            text = f"{self._name(measure)}: hạn {format_date(measure.deadline)} nằm ngoài năm công tác ({days})."
            yield Check(Kind.DEADLINE, text, *edit)

    def _denominator(self, result):
        measure = result.measure
        denominators = list(measure.denominators.all())
        if measure.kind != MeasureKind.RATE or not denominators or result.denominator:
            return
        named = ", ".join(f"“{row.name}”" for row in denominators)
        lacks = f"năm {self.year} chưa có số liệu nào được duyệt về {named}"
        text = f"{self._name(measure)}: {lacks} nên chưa tính được tỷ lệ."
        if any(row.nature == Nature.STOCK for row in denominators):
            yield Check(Kind.NO_DENOMINATOR, text, self._address("declaration_list"), "Xem kê khai")
        else:
            yield Check(Kind.NO_DENOMINATOR, text, self._address("activity_list"), "Xem hoạt động")

    def _given(self, result):
        """Of a number to be shared: children without one, and a sum below what the unit has."""
        measure, have = result.measure, result.plan.planned
        if not self.children or not have:
            return
        grid = (self._address("measure_assign", measure.pk), "Giao chỉ tiêu")
        keys = [(measure.pk, unit.pk) for unit in self.children]
        numbers = [Standing(self.given.get(key), self.drafts.get(key)).planned for key in keys]
        without = [unit for unit, number in zip(self.children, numbers, strict=True) if number is None]
        shown, name = plan_in_words(measure, have), self._name(measure)
        if len(without) == len(self.children):
            text = f"{name}: {shown} chưa chia cho đơn vị nào trong {format_number(len(without))} đơn vị trực thuộc."
            yield Check(Kind.NOT_GIVEN, text, *grid)
            return
        if without:
            part = f"{format_number(len(without))}/{format_number(len(self.children))}"
            yield Check(Kind.NOT_GIVEN, f"{name}: {part} đơn vị trực thuộc chưa có số: {labels(without)}.", *grid)
        given = sum(number or 0 for number in numbers)
        if given < have:
            left = plan_in_words(measure, have - given)
            text = f"{name}: mới giao {plan_in_words(measure, given)} trên {shown}, còn {left}."
            yield Check(Kind.UNDER_GIVEN, text, *grid)

    def _remarked(self, measures):
        """{(unit id, measure id): remark} of what children did not accept, as it is now asked of them."""
        said = {key for key, reply in replies.latest(self.children, measures).items() if not reply.accepted}
        units = {unit for unit, _ in said}
        found = intake.received([row for row in self.places if row.unit_id in units], self.year) if said else {}
        return {key: found[key].reply.remark for key in said if key in found and not found[key].is_open}

    def _remarks(self, measure):
        place = "target_detail" if measure.kind == MeasureKind.MILESTONE else "measure_assign"
        key = measure.target_id if measure.kind == MeasureKind.MILESTONE else measure.pk
        for unit in self.children:
            if remark := self.remarks.get((unit.pk, measure.pk)):
                text = f"{self._name(measure)}: {unit} chưa tiếp nhận, ý kiến: “{remark}”"
                yield Check(Kind.REMARK, text, self._address(place, key), "Xem lại số giao")

    def _unissued(self):
        """Own targets that reach nobody below yet."""
        targets = {row.measure.target for row in self.results if row.plan.source == Source.OWN}
        for target in sorted(targets, key=lambda target: target.number):
            if not target.issued_on:
                text = f"Chỉ tiêu {target.number} chưa ban hành nên cấp dưới chưa thấy."
                yield Check(Kind.NOT_ISSUED, text, self._address("issue"), "Ban hành")

    def _waiting(self):
        names = {row.measure.pk: self._name(row.measure) for row in self.results}
        counts = {}
        for draft in self.waiting:
            counts[draft.measure_id] = counts.get(draft.measure_id, 0) + 1
        for measure, count in counts.items():
            if measure in names:
                text = f"{names[measure]}: bản nháp có {format_number(count)} số chưa ban hành."
                yield Check(Kind.WAITING, text, self._address("issue"), "Ban hành")
