"""The form behind every record: unit, day, figures. Rules are not here: `activities.rules` and the verbs judge."""

import uuid

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from activities import locks
from activities.models import COUNTED, Activity, RecordNature, Status
from activities.rules import Entry, entry_of
from activities.writing import warnings
from targets.models import Group, Indicator, Nature
from unionwork.fields import FigureField
from unionwork.numbers import in_words
from units import access
from units.models import Unit
from units.scope import home_unit

FIGURE = "sl-"  # + indicator code: the name of a figure's field
MANY_UNITS = 50  # more than these are searched for, not listed
MOST_FOUND = 12
MOST_HOSTS = 100


class UnitField(forms.CharField):
    """A unit by its code, among those of a scoped `queryset`."""

    def __init__(self, *, queryset, **kwargs):
        super().__init__(max_length=30, **kwargs)
        self.queryset = queryset

    def clean(self, value):
        code = super().clean(value)
        unit = self.queryset.filter(code=code).first() if code else None
        if unit is None:
            raise ValidationError("Chọn một đơn vị bạn được ghi số liệu.", code="invalid_choice")
        return unit

    def prepare_value(self, value):
        return value.code if isinstance(value, Unit) else value


class HostsField(forms.Field):
    """Units by their codes; any unit may be a partner."""

    widget = forms.MultipleHiddenInput

    def clean(self, value):
        codes = list(dict.fromkeys(value or []))
        if len(codes) > MOST_HOSTS:
            raise ValidationError(f"Nhiều nhất {MOST_HOSTS} đơn vị phối hợp.")
        found = {unit.code: unit for unit in units_by_code(codes)}
        if unknown := [code for code in codes if code not in found]:
            raise ValidationError(f"Không có đơn vị mã “{unknown[0][:30]}”.")
        return [found[code] for code in codes]


def units_by_code(codes):
    return Unit.objects.filter(code__in=[code for code in codes if "\0" not in code])


def change_reason_field():
    return forms.CharField(
        max_length=400,
        label="Lý do sửa",
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="hoạt động đã duyệt: người duyệt và cấp trên sẽ thấy lý do này",
    )


class RecordForm(forms.Form):
    """What activities, declarations and milestones have in common: a unit, a day, figures of one kind.

    Bound by `data`, or re-shown without judging by `typed` (the form's small buttons). `activity`: the record being
    changed, if any. `opened`: {field: value} from the address for a new one.
    """

    form_key = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": "Tải lại trang rồi ghi lại."})
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    nature = RecordNature.FLOW
    is_stale = False  # somebody else changed the record meanwhile
    doubts = ()  # [Warning] the writer is asked about before the record is sent
    remark, remark_place = "", ""  # why the record came back, and the id of the place that this is about

    def __init__(self, data=None, *, user, rules, activity=None, typed=None, opened=None):
        self.user, self.rules, self.activity = user, rules, activity
        self.source = data if data is not None else typed
        saved = entry_of(activity, rules) if activity else None
        initial = (
            {"form_key": uuid.uuid4()} | self._saved(saved) if saved else {"form_key": uuid.uuid4()} | (opened or {})
        )
        super().__init__(data, initial=initial, prefix=None)
        self._add_unit(initial.get("unit"))
        self.kind_chosen = self._chosen_kind()
        self.indicators = {indicator.code: indicator for indicator in Indicator.objects.all()}
        self._add_figures(saved)
        if activity and activity.status in COUNTED:
            self.fields["change_reason"] = change_reason_field()
        if activity and activity.status == Status.RETURNED:
            self._point_at(activity.edit_place.removeprefix("#"), activity.return_reason)
        if typed is not None:
            self.initial |= {name: self._raw(field, name) for name, field in self.fields.items() if name in typed}

    def _point_at(self, place, reason):
        """What the reviewer says stands beside the place that it is about."""
        self.remark, self.remark_place = f"Người duyệt: {reason}", place
        field = self.fields.get(place.removeprefix("id_"))
        if field:
            field.usual_help, field.help_text = field.help_text, self.remark

    # --- what is asked ---

    def _saved(self, entry):
        """Initial values of a record being changed."""
        activity = entry.activity
        return {
            "form_key": activity.form_key,
            "unit": activity.unit,
            "kind": activity.kind.code,
            "last_day": activity.last_day,
            "version": activity.version,
            **{FIGURE + indicator.code: parsed for indicator, parsed in entry.figures.items()},
        }

    def _raw(self, field, name):
        return field.widget.value_from_datadict(self.source, {}, name)

    def _add_unit(self, unit):
        """The unit is fixed, listed or searched for, by how many one may write for."""
        mine = Unit.objects.reached(self.user, access.LOG)
        listed = list(mine[: MANY_UNITS + 1])
        self.unit_is_fixed = len(listed) == 1
        self.unit_is_searched = len(listed) > MANY_UNITS
        field = UnitField(queryset=mine, label="Đơn vị")
        if not (self.unit_is_fixed or self.unit_is_searched):
            field.widget = forms.Select(
                choices=[(row.code, row.name) for row in listed], attrs={"class": "form-select"}
            )
        self.fields["unit"] = field
        code = self.source.get("unit", "") if self.source is not None else ""
        chosen = next((row for row in listed if row.code == code), None)
        if chosen is None and code and self.unit_is_searched and "\0" not in code:
            chosen = mine.filter(code=code).first()
        self.unit_chosen = chosen or unit or self._default_unit(listed)
        self.initial.setdefault("unit", self.unit_chosen)
        text = self.source.get("tim-don-vi", "").strip() if self.source is not None and self.unit_is_searched else ""
        self.unit_query = text
        self.units_found = list(mine.matching(text.replace("\0", ""))[:MOST_FOUND]) if text else []

    def _default_unit(self, listed):
        home = home_unit(self.user)
        mine = Unit.objects.reached(self.user, access.LOG)
        return (home and mine.filter(pk=home.pk).first()) or (listed[0] if listed else None)

    def kinds(self):
        return [kind for kind in self.rules.kinds.values() if kind.nature == self.nature and self._offered(kind)]

    def _offered(self, kind):
        return kind.is_active or (self.activity is not None and kind.pk == self.activity.kind_id)

    def _chosen_kind(self):
        """The only kind of this nature; subclasses let people choose."""
        return next(iter(self.kinds()), None)

    def _asked(self):
        return self.kind_chosen.asked if self.kind_chosen else []

    def _add_figures(self, saved):
        """A field per figure of the kind, then those one added."""
        last = self._last_values()
        self.kind_figures = []
        for row in self._asked():
            needed = "cần có khi gửi duyệt" if row.required else ""
            hint = "; ".join(filter(None, [needed, self._hint(row.indicator, last)]))
            self.kind_figures.append(self._add_figure(row.indicator, hint))
        self.added_figures = [
            self._add_figure(indicator, self._hint(indicator, last))
            for indicator in self._added(saved)
            if FIGURE + indicator.code not in self.fields
        ]

    def _hint(self, indicator, last):
        known = last.get(indicator.pk)
        return "" if known is None else f"lần trước: {indicator.format(known)}"

    def _add_figure(self, indicator, hint):
        name = FIGURE + indicator.code
        field = FigureField(
            decimals=indicator.decimals,
            unit=indicator.unit_of_measure,
            label=indicator.name,
            help_text=hint,
            required=False,
        )
        self.fields[name] = field
        field.indicator = indicator
        return name

    def _added(self, saved):
        """Indicators besides the kind's: saved ones, those the form carried along, filled ones, the one just added."""
        if self.source is None:
            repeated = self._repeated()
            saved = saved or (entry_of(repeated, self.rules) if repeated else None)
            return [] if saved is None else list(saved.figures)
        codes = [*self.source.getlist("khac"), self.source.get("them-chi-so", "")]
        codes += [
            name.removeprefix(FIGURE)
            for name, value in self.source.items()
            if name.startswith(FIGURE) and value.strip()
        ]
        return [self.indicators[code] for code in dict.fromkeys(codes) if code in self.indicators]

    def _last_values(self):
        """{indicator id: value} of this unit's latest record of the kind, or of the one repeated: hints beside the
        boxes."""
        if self.unit_chosen is None or self.kind_chosen is None:
            return {}
        if repeated := self._repeated():
            return dict(repeated.figures.values_list("indicator_id", "value"))
        before = Activity.objects.filter(unit=self.unit_chosen, kind=self.kind_chosen).exclude(status=Status.CANCELLED)
        latest = before.exclude(pk=self.activity.pk if self.activity else None).order_by("-last_day", "-pk").first()
        return dict(latest.figures.values_list("indicator_id", "value")) if latest else {}

    def _repeated(self):
        """The record this new one is to be like (“Làm lại”), while its kind is chosen."""
        record = self.initial.get("repeats")
        return record if record and self.kind_chosen and record.kind_id == self.kind_chosen.pk else None

    # --- for the template ---

    @property
    def asks_work_level(self):
        return self.kind_chosen is not None and self.kind_chosen.has_work_level

    @property
    def is_adding(self):
        """Whether somebody has just added a figure and may want another."""
        return bool(self.source is not None and self.source.get("them-chi-so"))

    @property
    def asked(self):
        return [self._figure(name) for name in self.kind_figures]

    @property
    def added(self):
        return [self._figure(name) for name in self.added_figures]

    def _figure(self, name):
        """The box of a figure, with `words`: the amount of money in it said in words, None where it takes no money."""
        box, indicator = self[name], self.fields[name].indicator
        takes_money = in_words(0, 0, indicator.unit_of_measure) != ""
        typed = self.typed_figures.get(indicator)
        box.words = in_words(typed, indicator.decimals, indicator.unit_of_measure) if takes_money else None
        return box

    @cached_property
    def typed_figures(self):
        """{indicator: value} of the boxes that hold a number as they stand, judged or not."""
        typed = {}
        for name, field in self.fields.items():
            if name.startswith(FIGURE):
                try:
                    value = field.clean(self[name].value()).value
                except ValidationError:
                    continue
                if value is not None:
                    typed[field.indicator] = value
        return typed

    @property
    def can_be_added(self):
        """[(group label, [indicator, …])] of the FLOW indicators not on the form and not counted by the system."""
        counted = self.kind_chosen.counted_ids if self.kind_chosen else ()
        free = [
            indicator
            for indicator in self.indicators.values()
            if indicator.nature == Nature.FLOW
            and indicator.pk not in counted
            and FIGURE + indicator.code not in self.fields
        ]
        grouped = [(label, [row for row in free if row.group == value]) for value, label in Group.choices]
        return [(label, rows) for label, rows in grouped if rows]

    def layout(self):
        """Further context of the page."""
        return {}

    @property
    def asked_before(self):
        return warnings.asked_before(self)

    @property
    def answer(self):
        """What the writer says to warnings, as `warnings.answer` takes it."""
        return {}

    # --- what was said ---

    def entry(self, activity):
        """The record as typed; `activity` gets the fields. Only for a valid form."""
        said = self.cleaned_data
        activity.unit, activity.kind = said["unit"], self.kind_chosen
        if not activity.pk:
            activity.form_key = said["form_key"]
        figures = {
            field.indicator: said[name]
            for name, field in self.fields.items()
            if name.startswith(FIGURE) and said[name].value is not None
        }
        return Entry(activity, figures, said.get("hosts", []))

    def take(self, error):
        """Show what a verb refused beside the fields it concerns; a locked period, beside the day."""
        whole = "last_day" if isinstance(error, locks.Locked) else None
        fields = error.message_dict if hasattr(error, "error_dict") else {whole: error.messages}
        for name, messages in fields.items():
            for place in (name, f"{FIGURE}{name}", None):
                if place is None or place in self.fields:
                    break
            for message in messages:
                self.add_error(place, message)


class AskingForm(RecordForm):
    """A form whose writer answers warnings with one tick or one sentence."""

    warnings_checked = forms.BooleanField(label=warnings.CHECKED.rstrip("."), required=False)
    warning_reason = forms.CharField(
        max_length=400, label="Lý do (nếu cần nói thêm)", required=False, widget=forms.Textarea({"rows": 2})
    )

    def ask(self, unanswered):
        """Show the warnings; the second time without an answer is an error."""
        self.doubts = unanswered.warnings
        if unanswered.was_asked:
            self.add_error("warnings_checked", "Đánh dấu đã kiểm tra, hoặc ghi lý do, rồi gửi lại.")

    @property
    def answer(self):
        """{asked, reason}: the warnings the writer has seen, and the one answer to them."""
        said = self.cleaned_data
        checked = warnings.CHECKED if said["warnings_checked"] else ""
        return {
            "asked": self.source.getlist("da-hoi"),
            "reason": " ".join(filter(None, [checked, said["warning_reason"]])),
        }
