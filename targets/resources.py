"""Workbooks of indicators, targets and assignments. Headers: CONTRACT.md."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils import timezone

from targets import assignment, catalogue, setting
from targets.models import Group, Indicator, Join, Measure, MeasureKind, Nature, Target, WorkYear
from targets.scale import floor_scale, read_plan, scale, scale_of
from targets.years import open_year
from unionwork.columns import ChoiceColumn, Column, DateColumn, NumberColumn, ReferenceColumn, TextColumn
from unionwork.imports import ImportErrors, StrictResource
from unionwork.numbers import NumberError
from units import access, journal
from units.models import Level, Placement, Unit
from units.tree import ancestor_ids

REASON = "Nhập từ tệp Excel"
UNKNOWN_INDICATOR = 'không có chỉ số mã "{}" trong danh mục'


def _labels(choices):
    return {label: value for value, label in choices.choices}


class IndicatorResource(StrictResource):
    """Mã | Tên | Đơn vị tính | Tính chất | Số chữ số lẻ | Nhóm | Thuộc chỉ số."""

    code = TextColumn("Mã", required=True, max_length=40)
    name = TextColumn("Tên", required=True, max_length=200)
    unit_of_measure = TextColumn("Đơn vị tính", required=True, max_length=30)
    nature = ChoiceColumn("Tính chất", _labels(Nature), required=True)
    decimals = NumberColumn("Số chữ số lẻ")
    group = ChoiceColumn("Nhóm", _labels(Group), required=True)
    part_of = ReferenceColumn("Thuộc chỉ số", lambda r: Indicator.objects.all(), missing=UNKNOWN_INDICATOR)

    key = ("code",)

    def dataset(self, rows):
        if access.MANAGE_CATALOGUE.held_by(self.user):
            return super().dataset(rows)
        self.report(None, None, "Chỉ văn phòng hoặc quản trị Trung ương sửa được danh mục chỉ số.")
        return None

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self.notes = []
        self._existing = {row.code: row for row in Indicator.objects.all()}
        self._last = max((row.position for row in self._existing.values()), default=0)

    def write(self, row):
        found = self._existing.get(row["code"])
        indicator = found or Indicator(code=row["code"], position=self._next())
        for name in ("name", "unit_of_measure", "nature", "group", "part_of"):
            setattr(indicator, name, row[name])
        indicator.decimals = row["decimals"] or 0
        with journal.kept(self.notes):
            catalogue.save_indicator(indicator=indicator, actor=self.user)
        self.fields["part_of"].remember(indicator.code, indicator)
        return found is None

    def finish(self):
        journal.write(self.notes)

    def _next(self):
        self._last += 1
        return self._last


@dataclass
class _Wanted:
    """One target of the file: what its first row says, and the measures of all its rows."""

    row: dict
    number: int
    target: Target | None
    drafts: dict = field(default_factory=dict)


class TargetResource(StrictResource):
    """A row per measure; rows of one year, issuer and number are one target and agree on its text."""

    year = NumberColumn("Năm", required=True)
    issuer = ReferenceColumn(
        "Mã đơn vị ban hành",
        lambda r: Unit.objects.reached(r.user, access.SET_TARGETS),
        required=True,
        missing='không có đơn vị mã "{}" mà bạn được đặt chỉ tiêu',
    )
    number = NumberColumn("Số", required=True)
    text = TextColumn("Nội dung", max_length=2000)
    letter = TextColumn("Ý", max_length=2)
    kind = ChoiceColumn("Cách tính", _labels(MeasureKind), required=True)
    indicators = ReferenceColumn("Chỉ số", lambda r: _with_wholes(Indicator), separator="+", missing=UNKNOWN_INDICATOR)
    denominators = ReferenceColumn(
        "Mẫu số", lambda r: _with_wholes(Indicator), separator="+", missing=UNKNOWN_INDICATOR
    )
    floor = Column("Ngưỡng")
    level = ChoiceColumn("Cấp tính", _labels(Level))
    sector = TextColumn("Khối đối tượng", max_length=60)
    value = Column("Giá trị")
    deadline = DateColumn("Hạn", ahead=True)
    join = ChoiceColumn("Kết hợp", _labels(Join))

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self._years, self.notes = Years(self.user), []
        self._targets = {}

    def write(self, row):
        """Judges one measure; the targets are written by `finish`, when all their measures are known."""
        with journal.kept(self.notes):
            year = self._years.opened(row["year"])
        if not 1 <= row["number"] <= Target.LARGEST_NUMBER:
            raise ValidationError({"number": f"Số thứ tự từ 1 đến {Target.LARGEST_NUMBER}."})
        wanted = self._wanted(row, year)
        letter = row["letter"].lower() or "a"
        if not (letter.isascii() and letter.isalpha()):
            raise ValidationError({"letter": "Ghi ý bằng chữ cái a, b, c…"})
        if letter in wanted.drafts:
            raise ValidationError({"letter": f"Ý {letter} của chỉ tiêu này đã ghi ở dòng {wanted.drafts[letter][0]}."})
        before = next((one for one in _measures(wanted.target) if one.letter == letter), None)
        draft = _draft(row, letter, before)
        setting.check_measure(draft, year)
        wanted.drafts[letter] = (row.number, draft)
        return before is None

    def _wanted(self, row, year):
        key = (year.pk, row["issuer"].pk, row["number"])
        if key not in self._targets:
            self._targets[key] = _Wanted(row, row.number, _existing(year, row["issuer"], row["number"]))
            if not row["text"] and self._targets[key].target is None:
                raise ValidationError({"text": "Chỉ tiêu mới cần nội dung."})
            return self._targets[key]
        wanted = self._targets[key]
        for name, header in (("text", "Nội dung"), ("join", "Kết hợp")):
            if row[name] and row[name] != wanted.row[name]:
                message = f"{header} khác với dòng {wanted.number} của cùng chỉ tiêu; ghi giống nhau hoặc để trống."
                raise ValidationError({name: message})
        return wanted

    def finish(self):
        if self.errors:  # a target short of a measure would only say so again
            return
        for wanted in self._targets.values():
            try:
                with journal.kept(self.notes):
                    self._save(wanted)
            except ValidationError as refused:
                raise ImportErrors([(wanted.number, None, message) for message in refused.messages]) from refused
        journal.write(self.notes)

    def _save(self, wanted):
        drafts = [draft for _, draft in wanted.drafts.values()]
        row, target = wanted.row, wanted.target
        said = {name: row[name] for name in ("text", "join") if row[name]}
        if target:
            kept = [setting.draft_of(one) for one in _measures(target) if one.letter not in wanted.drafts]
            measures = sorted([*kept, *drafts], key=lambda one: one.letter)
            setting.edit_target(target=target, measures=measures, actor=self.user, reason=REASON, **said)
            return
        first = next((draft.indicators[0] for draft in drafts if draft.indicators), None)
        year = self._years.opened(row["year"])
        setting.create_target(
            year=year,
            issuer=row["issuer"],
            number=row["number"],
            group=first.group if first else "",
            measures=drafts,
            actor=self.user,
            issued_on=min(timezone.localdate(), year.first_day),  # a workbook tells of what was issued on paper
            **said,
        )


def _with_wholes(model):
    return model.objects.select_related("part_of__part_of__part_of")


def _existing(year, issuer, number):
    return Target.objects.filter(year=year, issuer=issuer, number=number).with_measures().select_related("year").first()


def _measures(target):
    return target.measures.all() if target else []


def _draft(row, letter, before):
    """The measure a row describes; what the workbook does not say stays as it was."""
    indicators, denominators = list(row["indicators"]), list(row["denominators"])
    draft = setting.Draft(
        kind=row["kind"],
        pk=before.pk if before else None,
        letter=letter,
        text=before.text if before else "",
        indicators=indicators,
        denominators=denominators,
        level=row["level"] or Level.BASE,
        sector=row["sector"],
        deadline=row["deadline"],
        year_end_only=before.year_end_only if before else False,
    )
    draft.value = _number(row, "value", *scale(row["kind"], indicators))
    draft.floor = _number(row, "floor", *floor_scale(indicators))
    return draft


def _number(row, name, decimals, unit):
    try:
        return read_plan(row[name], decimals, unit)
    except NumberError as error:
        raise ValidationError({name: error.message}) from error


class Years:
    """The work years an import names, each asked for once; one that was never opened is opened (past periods)."""

    def __init__(self, user):
        self.user = user
        self._known = {}

    def opened(self, year):
        if year not in self._known:
            self._known[year] = open_year(year=year, actor=self.user)
        if not self._known[year].is_open:
            raise ValidationError({"year": f"Năm công tác {year} đã đóng."})
        return self._known[year]


class AssignmentResource(StrictResource):
    """Năm | Mã đơn vị ban hành | Số | Ý | Mã đơn vị | Giao | Đăng ký | Số quyết định | Ngày quyết định."""

    year = NumberColumn("Năm", required=True)
    issuer = ReferenceColumn(
        "Mã đơn vị ban hành",
        lambda r: Unit.objects.filter(pk__in=Target.objects.visible_to(r.user).values("issuer")),
        required=True,
        missing='không có chỉ tiêu nào của đơn vị mã "{}" trong phạm vi của bạn',
    )
    number = NumberColumn("Số", required=True)
    letter = TextColumn("Ý", max_length=2)
    unit = ReferenceColumn(
        "Mã đơn vị",
        lambda r: Unit.objects.reached(r.user, access.SET_TARGETS),
        required=True,
        missing='không có đơn vị mã "{}" mà bạn được giao chỉ tiêu',
    )
    planned = Column("Giao")
    registered = Column("Đăng ký")
    decision_number = TextColumn("Số quyết định", max_length=50)
    decision_date = DateColumn("Ngày quyết định")

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self._measures = {}
        self._paths = {}
        self._given = {}
        self._rows = {}
        self._reached = None

    def write(self, row):
        measure = self._measure(row)
        self._check_unit(row, measure)
        wanted = (measure.pk, row["unit"].pk)
        if wanted in self._rows:
            raise ValidationError({"unit": f"Đơn vị này của cùng một ý đã ghi ở dòng {self._rows[wanted][0]}."})
        numbers = {name: _number(row, name, *scale_of(measure)) for name in ("planned", "registered")}
        kept = {name: assignment.KEEP if value is None else value for name, value in numbers.items()}
        given = assignment.Row(row["unit"], **kept)
        assignment.check_row(measure, given)
        self._check_giver(row, measure, numbers["planned"])
        self._rows[wanted] = (row.number, measure, row["decision_number"], row["decision_date"], given)
        is_new = row["unit"].pk not in self._given[measure.pk]
        says_nothing = set(numbers.values()) == {None} and not row["decision_number"]
        if not measure.target.issued_on and not says_nothing:
            message = f"Chỉ tiêu {row['number']} còn là bản nháp: ban hành rồi mới nhập số giao."
            raise ValidationError({"number": message})
        return None if is_new and says_nothing else is_new

    def _measure(self, row):
        """The measure a row names: those of one year and issuer are read once."""
        place = (row["year"], row["issuer"].pk)
        if place not in self._measures:
            year = WorkYear.objects.filter(pk=row["year"]).first()
            if year is None or not year.is_open:
                state = "Chưa mở năm công tác {}." if year is None else "Năm công tác {} đã đóng."
                raise ValidationError({"year": state.format(row["year"])})
            targets = Target.objects.visible_to(self.user).filter(year=row["year"], issuer=row["issuer"])
            rows = Measure.objects.filter(target__in=targets).select_related("target__year", "target__issuer")
            rows = rows.prefetch_related("indicators", "assignments")
            self._measures[place] = {(one.target.number, one.letter): one for one in rows}
            for one in rows:
                self._given[one.pk] = {given.unit_id: given for given in one.assignments.all()}
        letter = row["letter"].lower() or "a"
        measure = self._measures[place].get((row["number"], letter))
        if measure is None:
            name = row["issuer"].label
            raise ValidationError({"number": f"{name} không có chỉ tiêu {row['number']} ý {letter} năm {row['year']}."})
        return measure

    def _check_unit(self, row, measure):
        year = row["year"]
        if year not in self._paths:
            self._paths[year] = dict(Placement.objects.filter(year=year).values_list("unit_id", "path"))
        top = self._paths[year].get(measure.target.issuer_id)
        if top is None or not self._paths[year].get(row["unit"].pk, "").startswith(top):
            message = f"{row['unit'].label} không thuộc {measure.target.issuer.label} trong cây đơn vị năm {year}."
            raise ValidationError({"unit": message})

    def _check_giver(self, row, measure, planned):
        """What a unit is given is for those to say who work for its superior; the unit itself only registers."""
        given = self._given[measure.pk].get(row["unit"].pk)
        said = (planned, row["decision_number"] or None, row["decision_date"])
        now = (given.planned, given.decision_number, given.decision_date) if given else (None, None, None)
        if all(new is None or new == old for new, old in zip(said, now, strict=True)):
            return
        if self._reached is None:
            reached = Unit.objects.reached(self.user, access.SET_TARGETS)
            self._reached = set(reached.values_list("pk", flat=True))
        above = ancestor_ids(self._paths[row["year"]][row["unit"].pk])[:-1]
        if not above or above[-1] not in self._reached:
            message = f"Số giao cho {row['unit'].label} do cấp trên của đơn vị ghi; bạn chỉ ghi được cột “Đăng ký”."
            raise ValidationError({"planned": message})

    def finish(self):
        """Few statements: the rows of one measure and one decision go together."""
        together = {}
        for number, measure, decision, day, row in self._rows.values():
            together.setdefault((measure.pk, decision, day), (number, measure, []))[2].append(row)
        errors = []
        with journal.kept() as notes:
            for (_, decision, day), (number, measure, rows) in together.items():
                try:
                    assignment.assign(
                        measure=measure,
                        rows=rows,
                        actor=self.user,
                        decision_number=decision,
                        decision_date=day,
                        reason=REASON,
                    )
                except ValidationError as refused:
                    errors += [(number, None, message) for message in refused.messages]
        if errors:
            raise ImportErrors(errors)
        journal.write(notes)


RESOURCES = {"indicators": IndicatorResource, "targets": TargetResource, "assignments": AssignmentResource}
