"""Forms of the targets: the chỉ tiêu with its measures, the catalogue of indicators, work years."""

from django import forms
from django.core.exceptions import ValidationError

from targets import setting
from targets.models import Group, Indicator, Join, MeasureKind, Target, WorkYear
from targets.scale import PERCENT, exact, floor_scale, scale
from targets.years import EDITING
from unionwork.fields import FigureField, VietnameseDateField
from unionwork.numbers import NumberError
from units.models import Level

LEAST_SELECTS = 2
KINDS_IN_WORDS = [
    (MeasureKind.TOTAL, "Tổng: cộng số thực hiện của mọi đơn vị"),
    (MeasureKind.RATE, "Tỷ lệ: tử số chia mẫu số"),
    (MeasureKind.COVERAGE, "Độ phủ: bao nhiêu phần trăm đơn vị đạt một ngưỡng"),
    (MeasureKind.MILESTONE, "Mốc: một việc hoàn thành trước hạn, có văn bản"),
]


class PlanField(FigureField):
    """A plan: an exact number in the measure's own scale, or None."""

    def __init__(self, *, decimals=0, unit="", **kwargs):
        super().__init__(decimals=decimals, unit=unit, **kwargs)

    def clean(self, value):
        parsed = super().clean(value)
        try:
            return exact(parsed)
        except NumberError as error:
            raise ValidationError(error.message, code="approximate") from error


class SeveralSelects(forms.SelectMultiple):
    """Several choices as so many plain selects of one name: no Ctrl key, no JavaScript, works on phones."""

    template_name = "targets/_several_selects.html"
    allow_multiple_selected = False

    def get_context(self, name, value, attrs):
        chosen = [str(each) for each in value or [] if str(each)]
        context = forms.Widget.get_context(self, name, chosen, attrs)
        base = context["widget"]["attrs"]
        context["selects"] = [
            {
                "chosen": chosen[place] if place < len(chosen) else "",
                "attrs": base | ({"id": f"{base.get('id', name)}_{place + 1}"} if place else {}),
                "label": f"cộng với chỉ số thứ {place + 1}" if place else "",
            }
            for place in range(max(LEAST_SELECTS, len(chosen) + 1))
        ]
        context["groups"] = self.choices
        return context

    def value_from_datadict(self, data, files, name):
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return [value for value in dict.fromkeys(values) if value]

    def value_omitted_from_data(self, data, files, name):
        return name not in data


class IndicatorsField(forms.Field):
    """Cleans to a list of indicators of the catalogue."""

    widget = SeveralSelects

    def __init__(self, *, catalogue, **kwargs):
        super().__init__(required=False, **kwargs)
        self.catalogue = catalogue
        self.widget.choices = catalogue.groups

    def to_python(self, value):
        unknown = [code for code in value or [] if code not in self.catalogue.by_code]
        if unknown:
            raise ValidationError(f"Không có chỉ số mã “{unknown[0][:40]}”.", code="unknown")
        return [self.catalogue.by_code[code] for code in value or []]

    def has_changed(self, initial, data):
        return list(initial or []) != list(data or [])


class Catalogue:
    """All indicators, read once for all forms of a page."""

    def __init__(self):
        rows = list(Indicator.objects.select_related("part_of__part_of__part_of"))
        self.by_code = {row.code: row for row in rows}
        self.groups = [
            (group.label, [(row.code, f"{row.name} ({row.unit_of_measure})") for row in rows if row.group == group])
            for group in Group
        ]


class TargetForm(forms.Form):
    number = forms.IntegerField(label="Số thứ tự", min_value=1, max_value=Target.LARGEST_NUMBER, widget=forms.TextInput)
    text = forms.CharField(label="Nội dung", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    group = forms.ChoiceField(label="Nhóm", required=False, choices=[("", "Chưa xếp nhóm"), *Group.choices])
    join = forms.ChoiceField(
        label="Chỉ tiêu đạt khi đạt", choices=Join.choices, initial=Join.ALL, help_text="Khi chỉ tiêu có nhiều ý."
    )
    answers = forms.ModelChoiceField(
        Target.objects.none(), label="Thực hiện chỉ tiêu của cấp trên", required=False, empty_label="Không"
    )
    note = forms.CharField(label="Ghi chú", max_length=200, required=False)
    reason = forms.CharField(
        label="Lý do điều chỉnh",
        max_length=300,
        required=False,
        help_text="Chỉ cần ghi khi đổi kế hoạch, ngưỡng hoặc hạn: chỉ tiêu đã ban hành, đơn vị cấp dưới sẽ thấy lý do.",
    )

    def __init__(self, *args, superiors, asks_reason=False, **kwargs):
        super().__init__(*args, **kwargs)
        if not asks_reason:
            del self.fields["reason"]
        self.fields["number"].widget.attrs["inputmode"] = "numeric"
        self.fields["answers"].queryset = superiors
        self.fields["answers"].label_from_instance = lambda row: f"{row.issuer} – {row.number}. {row.text[:80]}"


class MeasureForm(forms.Form):
    """One measure. Which of its fields matter depends on `kind`; what they must be, `setting.check_measure` says."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="Cách tính", choices=KINDS_IN_WORDS, initial=MeasureKind.TOTAL, widget=forms.RadioSelect
    )
    text = forms.CharField(label="Diễn giải", max_length=300, required=False)
    value = forms.CharField(
        label="Kế hoạch", required=False, max_length=60, help_text="Tổng: 20.000 hoặc 2,4 triệu. Tỷ lệ, độ phủ: 66,5%."
    )
    floor = forms.CharField(
        label="Ngưỡng mỗi đơn vị",
        required=False,
        max_length=60,
        help_text="Mỗi đơn vị đạt ít nhất bao nhiêu thì được tính.",
    )
    level = forms.ChoiceField(label="Đếm đơn vị cấp", choices=Level.choices, initial=Level.BASE)
    sector = forms.ChoiceField(label="Chỉ tính khối đối tượng", required=False)
    deadline = VietnameseDateField(label="Hạn", required=False, needs_year=True)
    year_end_only = forms.BooleanField(label="Chỉ đo vào cuối năm", required=False)

    field_order = ["pk", "kind", "indicators", "denominators", "value", "floor", "level", "sector", "deadline", "text"]

    def __init__(self, *args, catalogue, sectors, year, **kwargs):
        super().__init__(*args, **kwargs)
        self.year = year
        self.fields["indicators"] = IndicatorsField(
            label="Chỉ số", catalogue=catalogue, help_text="Chọn nhiều chỉ số thì cộng lại; với tỷ lệ đây là tử số."
        )
        self.fields["denominators"] = IndicatorsField(label="Mẫu số", catalogue=catalogue)
        current = (self.initial or {}).get("sector")
        labels = sorted({*sectors, *([current] if current else [])})
        self.fields["sector"].choices = [("", "Mọi đơn vị"), *((label, label) for label in labels)]
        self.order_fields([*self.field_order, "year_end_only"])

    def clean(self):
        cleaned = super().clean()
        if self.errors or cleaned.get("DELETE"):
            return cleaned
        indicators = cleaned["indicators"]
        self._read("value", *scale(cleaned["kind"], indicators))
        self._read("floor", *floor_scale(indicators))
        if not self.errors:
            try:
                setting.check_measure(self.draft, self.year)
            except ValidationError as refused:
                show_refusal(self, refused)
        return cleaned

    def _read(self, name, decimals, unit):
        field = PlanField(decimals=decimals, unit=unit, required=False)
        try:
            self.cleaned_data[name] = field.clean(self.cleaned_data[name])
        except ValidationError as refused:
            self.add_error(name, refused)

    @property
    def draft(self):
        """What was typed, without what does not belong to the kind (a hidden field may still hold it)."""
        data = {name: self.cleaned_data[name] for name in self.fields if name != "DELETE"}
        kind = data["kind"]
        if kind == MeasureKind.MILESTONE:
            data |= {"indicators": [], "denominators": [], "value": None}
        if kind != MeasureKind.RATE:
            data["denominators"] = []
        if kind != MeasureKind.COVERAGE:
            data["floor"] = None
        if kind == MeasureKind.TOTAL:
            data["sector"] = ""
        return setting.Draft(**data)


class BaseMeasureFormSet(forms.BaseFormSet):
    def clean(self):
        if not any(self.errors) and not self.drafts:
            raise ValidationError("Chỉ tiêu cần ít nhất một ý đo được.")

    @property
    def drafts(self):
        """The measures as typed; rows ticked off and rows left blank stay out."""
        rows = (form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE"))
        return [form.draft for form in rows]

    def add_fields(self, form, index):
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = "Bỏ ý này"


MeasureFormSet = forms.formset_factory(
    MeasureForm, formset=BaseMeasureFormSet, extra=0, can_delete=True, max_num=26, absolute_max=26
)


def measure_initial(measure):
    """What the form of an existing measure shows."""
    indicators = list(measure.indicators.all())
    decimals, unit = scale(measure.kind, indicators)
    floor_decimals, floor_unit = floor_scale(indicators)
    return {
        "pk": measure.pk,
        "kind": measure.kind,
        "text": measure.text,
        "indicators": [row.code for row in indicators],
        "denominators": [row.code for row in measure.denominators.all()],
        "value": _typed(measure.value, decimals, unit),
        "floor": _typed(measure.floor, floor_decimals, floor_unit),
        "level": measure.level,
        "sector": measure.sector,
        "deadline": measure.deadline,
        "year_end_only": measure.year_end_only,
    }


def _typed(value, decimals, unit):
    """A stored value as somebody would type it."""
    shown = PlanField(decimals=decimals, unit=unit).prepare_value(value)
    return f"{shown}%" if shown and (decimals, unit) == PERCENT else shown


def typed_values(form):
    """What a bound form was sent, as initial values of an unbound one: shows it again without judging it."""
    return {
        name: field.widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        for name, field in form.fields.items()
    }


class IndicatorForm(forms.ModelForm):
    class Meta:
        model = Indicator
        fields = ["code", "name", "unit_of_measure", "nature", "decimals", "group", "part_of", "position"]
        widgets = {"decimals": forms.TextInput, "position": forms.TextInput}
        help_texts = {
            "code": "Chữ thường không dấu, số và gạch nối, ví dụ: cay-xanh.",
            "nature": "Phát sinh: cộng dồn theo thời gian. Thời điểm: kê khai mức hiện có, lấy số mới nhất.",
            "decimals": "0 với số đếm và tiền; 2 với km.",
            "part_of": "“Trong đó” của chỉ số nào; số của chỉ số này được cộng vào đó.",
        }

    def __init__(self, *args, locked=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["part_of"].empty_label = "Không"
        self.fields["group"].choices = [("", "– chọn –"), *Group.choices]
        self.fields["part_of"].queryset = Indicator.objects.exclude(pk=self.instance.pk)
        for name in ("decimals", "position"):
            self.fields[name].widget.attrs["inputmode"] = "numeric"
        for name in locked:
            self.fields[name].disabled = True
            self.fields[name].help_text = "Chỉ số đã dùng nên không đổi được."


class YearForm(forms.Form):
    year = forms.IntegerField(label="Năm", widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    first_day = VietnameseDateField(
        label="Ngày đầu", required=False, needs_year=True, help_text="Để trống: 01/01 của năm."
    )
    last_day = VietnameseDateField(
        label="Ngày cuối", required=False, needs_year=True, help_text="Để trống: 31/12 của năm."
    )
    theme = forms.CharField(label="Chủ đề", required=False, max_length=WorkYear._meta.get_field("theme").max_length)

    def clean_year(self):
        if WorkYear.objects.filter(pk=self.cleaned_data["year"]).exists():
            raise ValidationError("Năm công tác này đã mở.")
        return self.cleaned_data["year"]


class EditingForm(forms.Form):
    keeps = forms.TypedChoiceField(
        label="Số của hoạt động đang sửa",
        choices=[(int(keeps), words) for keeps, words in EDITING.items()],
        coerce=lambda text: text == "1",
        widget=forms.RadioSelect,
    )


class RegisterForm(forms.Form):
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args, scale, **kwargs):
        super().__init__(*args, **kwargs)
        decimals, unit = scale
        self.fields["registered"] = PlanField(decimals=decimals, unit=unit, required=False, label="Số đăng ký")
        self.fields["reason"] = forms.CharField(label="Ghi chú", max_length=300, required=False)
        self.order_fields(["registered", "reason", "version"])


def show_refusal(form, refused):
    """Put what a verb refused beside the fields it names, where the form has them, else at the top."""
    by_field = refused.error_dict if hasattr(refused, "error_dict") else {None: refused.error_list}
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)
