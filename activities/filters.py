"""Which records a list shows; the whole state stands in the address, so every number can link to its rows."""

import re
import unicodedata

import django_filters as filters
from django import forms
from django.utils.functional import cached_property

from activities.models import COUNTED as COUNTED_STATUSES
from activities.models import Activity, ActivityKind, Doubt, Status
from targets.models import Indicator, Period
from unionwork.dates import format_date
from unionwork.fields import CodeField, VietnameseDateField, check_order
from unionwork.text import fold
from units.models import Placement, Unit, User

COUNTED = "da-duyet"
STATUSES = [*Status.choices, (COUNTED, "Đã duyệt và đã chốt")]
WITH, WITHOUT = "co", "khong"
WARNINGS = [(WITH, "Có cảnh báo"), (WITHOUT, "Không có cảnh báo"), *Doubt.choices]


def indicators_named(queryset, text):
    words = fold(text).split()
    return [row for row in queryset if all(word in fold(f"{row.code} {row.name}") for word in words)]


class CodesInput(forms.TextInput):
    """One box for what the address may say several times; codes are parted by commas."""

    def value_from_datadict(self, data, files, name):
        return ", ".join(data.getlist(name)) if hasattr(data, "getlist") else data.get(name)


class CodesField(CodeField):
    """Rows by their codes, parted by commas."""

    widget = CodesInput

    def clean(self, value):
        text = forms.CharField.clean(self, value)
        rows = [self.row(part.strip()) for part in text.split(",") if part.strip()]
        return list(dict.fromkeys(rows))


class CodeFilter(filters.Filter):
    field_class = CodeField


class CodesFilter(filters.Filter):
    field_class = CodesField


class DateFilter(filters.Filter):
    field_class = VietnameseDateField


class ListForm(forms.Form):
    """Parameters as people see them in the address: trang-thai, don-vi, chi-so."""

    def add_prefix(self, field_name):
        return field_name.replace("_", "-")

    def clean(self):
        said = super().clean()
        check_order(self)
        return said


def kind_choices():
    return list(ActivityKind.objects.values_list("code", "name"))


class ActivityFilter(filters.FilterSet):
    """Within one work year. A unit means its subtree in that year's tree, co-hosts too; an indicator its parts too."""

    q = filters.CharFilter(method="search", label="Tìm tên, mã, nơi, đơn vị", max_length=200)
    don_vi = CodeFilter(
        method="of_unit",
        label="Đơn vị (tên hoặc mã)",
        queryset=Unit.objects.none(),
        missing="Không có đơn vị tên hoặc mã này trong phạm vi của bạn.",
    )
    nguoi_ghi = filters.CharFilter(
        method="of_author",
        label="Người ghi",
        max_length=100,
        widget=forms.TextInput(attrs={"list": "nhung-nguoi-ghi", "autocomplete": "off"}),
    )
    ky = filters.ModelChoiceFilter(
        method="of_period", label="Kỳ", queryset=Period.objects.none(), empty_label="Cả năm công tác"
    )
    tu = DateFilter(field_name="last_day", lookup_expr="gte", label="Từ ngày")
    den = DateFilter(field_name="last_day", lookup_expr="lte", label="Đến ngày")
    chi_so = CodesFilter(
        method="of_indicators",
        label="Chỉ số (tên hoặc mã)",
        queryset=Indicator.objects.all(),
        named=indicators_named,
        missing="Không có chỉ số tên hoặc mã này.",
    )
    canh_bao = filters.ChoiceFilter(
        method="of_warning", label="Cảnh báo", choices=WARNINGS, empty_label="Có hay không đều được"
    )
    trang_thai = filters.MultipleChoiceFilter(
        method="of_status", label="Trạng thái", choices=STATUSES, widget=forms.CheckboxSelectMultiple
    )
    loai = filters.MultipleChoiceFilter(method="of_kind", label="Loại", widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Activity
        fields = []
        form = ListForm

    def __init__(self, data, *, queryset, user, year):
        super().__init__(data, queryset=queryset)
        self.year = year
        fields = self.form.fields
        fields["don_vi"].queryset = Unit.objects.visible_to(user)
        fields["ky"].queryset = Period.objects.visible_to(user).filter(year=year)
        fields["ky"].error_messages["invalid_choice"] = "Không có kỳ này trong năm đang xem."
        fields["loai"].choices = kind_choices()

    @property
    def qs(self):
        """Nothing at all when a parameter is wrong: a wider list would be taken for the answer."""
        return super().qs if self.form.is_valid() else self.queryset.none()

    @property
    def indicators(self):
        """The chosen indicators; none while a parameter is wrong."""
        return self.form.cleaned_data["chi_so"] if self.form.is_valid() else []

    @property
    def mixes_states(self):
        """Whether what counts and what does not can stand beside each other in the list."""
        return len(self.form.cleaned_data["trang_thai"]) != 1

    @cached_property
    def family(self):
        """Ids of the chosen indicators and of everything that is part of them."""
        chosen = {row.pk for row in self.indicators}
        return [pk for pk, chain in Indicator.objects.chains().items() if chosen & {*chain}]

    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data["trang_thai"] else found.exclude(status=Status.CANCELLED)

    def search(self, queryset, name, text):
        """By the words of its title, place and unit; by its code, or the number of it, that record alone. A bare 12 is
        a word like any other."""
        pk = None if text.strip()[0] in "123456789" else Activity.pk_of(text)
        return queryset.matching(text) if pk is None else queryset.filter(pk=pk)

    def of_status(self, queryset, name, chosen):
        counted = COUNTED_STATUSES if COUNTED in chosen else ()
        return queryset.filter(status__in={*chosen, *counted} - {COUNTED})

    def of_kind(self, queryset, name, codes):
        return queryset.filter(kind__code__in=codes)

    def of_author(self, queryset, name, text):
        return queryset.filter(author__in=people_named(text).values("pk"))

    def of_warning(self, queryset, name, code):
        return queryset.filter(warnings=[]) if code == WITHOUT else queryset.warned_of("" if code == WITH else code)

    def of_period(self, queryset, name, period):
        return queryset.filter(last_day__range=(period.first_day, period.last_day))

    def of_unit(self, queryset, name, unit):
        year = self.year.pk if self.year else None
        path = Placement.objects.filter(unit=unit, year=year).values_list("path", flat=True).first()
        return queryset.hosted_within(path, year) if path else queryset.none()

    def of_indicators(self, queryset, name, indicators):
        return queryset.with_figure_of(self.family)

    def chips(self):
        """[(label, shown value, address without it)] of what narrows the list, a value each."""
        if not self.form.is_valid():
            return []
        return [
            (field.label.partition(" (")[0], _shown(field, value), self._without(name, value))
            for name, field in self.form.fields.items()
            for value in _values(self.form.cleaned_data[name])
        ]

    def _without(self, name, value):
        rest, param = self.data.copy(), self.form.add_prefix(name)
        rest.pop("page", None)
        others = [getattr(one, "code", one) for one in _values(self.form.cleaned_data[name]) if one != value]
        rest.setlist(param, others)
        if not others:
            del rest[param]
        return rest.urlencode()


def _values(cleaned):
    if isinstance(cleaned, list):
        return cleaned
    return [] if cleaned in (None, "") else [cleaned]


def _shown(field, value):
    if isinstance(field, VietnameseDateField):
        return format_date(value)
    if isinstance(field, forms.ModelChoiceField):
        return str(value)
    return dict(getattr(field, "choices", ())).get(value) or str(value)


def people_named(text):
    """Users whose name has all these words, with or without dấu. No page gets them: they narrow what is in scope."""
    people = User.objects.order_by()
    for word in fold(text[:100]).split():
        people = people.filter(full_name__regex=_any_marks(word))
    return people


def _any_marks(word):
    """A pattern that finds a folded word under any dấu and in either case, in Python's and PostgreSQL's syntax."""
    return "".join(f"[{_WRITTEN[letter]}]" if letter in _WRITTEN else re.escape(letter) for letter in word)


def _written():
    written = {letter: letter + letter.upper() for letter in "bcdfghjklmnpqrstvwxz"} | {"d": "dDđĐ"}
    for vowel in "aăâeêioôơuưy":
        marked = "".join(unicodedata.normalize("NFC", vowel + tone) for tone in ("", *"\u0300\u0309\u0303\u0301\u0323"))
        written[fold(vowel)] = written.get(fold(vowel), "") + marked + marked.upper()
    return written


_WRITTEN = _written()
