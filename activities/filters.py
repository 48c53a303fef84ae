"""Which records a list shows; the whole state stands in the address, so every number can link to its rows."""

import django_filters as filters
from django import forms
from django.utils.functional import cached_property

from activities.models import Activity, ActivityKind, Status
from targets.models import Indicator
from unionwork.dates import format_date
from unionwork.fields import VietnameseDateField
from units.models import Placement, Unit

COUNTED = "da-duyet"
STATUSES = [*Status.choices, (COUNTED, "Đã duyệt và đã chốt")]


class CodeField(forms.CharField):
    """A row by its code, among those of a scoped queryset; blank is None."""

    def __init__(self, *, queryset, missing, **kwargs):
        super().__init__(max_length=40, **kwargs)
        self.queryset, self.missing = queryset, missing

    def clean(self, value):
        code = super().clean(value)
        row = self.queryset.filter(code=code).first() if code else None
        if code and row is None:
            raise forms.ValidationError(self.missing)
        return row


class CodeFilter(filters.Filter):
    field_class = CodeField


class DateFilter(filters.Filter):
    field_class = VietnameseDateField


class ListForm(forms.Form):
    """Parameters as people see them in the address: trang-thai, don-vi, chi-so."""

    def add_prefix(self, field_name):
        return field_name.replace("_", "-")


def kind_choices():
    return list(ActivityKind.objects.values_list("code", "name"))


class ActivityFilter(filters.FilterSet):
    """Within one work year. A unit means its subtree in that year's tree, co-hosts too; an indicator its parts too."""

    q = filters.CharFilter(method="search", label="Tìm tên, nơi, đơn vị", max_length=200)
    trang_thai = filters.ChoiceFilter(
        method="of_status", label="Trạng thái", choices=STATUSES, empty_label="Mọi trạng thái, trừ đã huỷ"
    )
    loai = filters.ChoiceFilter(field_name="kind__code", label="Loại", choices=kind_choices, empty_label="Mọi loại")
    don_vi = CodeFilter(
        method="of_unit",
        label="Mã đơn vị",
        queryset=Unit.objects.none(),
        missing="Không có đơn vị mã này trong phạm vi của bạn.",
    )
    chi_so = CodeFilter(
        method="of_indicator", label="Mã chỉ số", queryset=Indicator.objects.all(), missing="Không có chỉ số mã này."
    )
    tu = DateFilter(field_name="last_day", lookup_expr="gte", label="Từ ngày")
    den = DateFilter(field_name="last_day", lookup_expr="lte", label="Đến ngày")

    class Meta:
        model = Activity
        fields = []
        form = ListForm

    def __init__(self, data, *, queryset, user, year):
        super().__init__(data, queryset=queryset)
        self.year = year
        self.form.fields["don_vi"].queryset = Unit.objects.visible_to(user)

    @property
    def qs(self):
        """Nothing at all when a parameter is wrong: a wider list would be taken for the answer."""
        return super().qs if self.form.is_valid() else self.queryset.none()

    @cached_property
    def family(self):
        """Ids of the chosen indicator and of everything that is part of it."""
        chosen = self.form.cleaned_data["chi_so"]
        return [pk for pk, chain in Indicator.objects.chains().items() if chosen.pk in chain]

    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data["trang_thai"] else found.exclude(status=Status.CANCELLED)

    def search(self, queryset, name, text):
        return queryset.matching(text)

    def of_status(self, queryset, name, status):
        return queryset.counted() if status == COUNTED else queryset.filter(status=status)

    def of_unit(self, queryset, name, unit):
        year = self.year.pk if self.year else None
        path = Placement.objects.filter(unit=unit, year=year).values_list("path", flat=True).first()
        return queryset.hosted_within(path, year) if path else queryset.none()

    def of_indicator(self, queryset, name, indicator):
        return queryset.with_figure_of(self.family)

    def chips(self):
        """[(label, shown value, address without it)] of what narrows the list."""
        if not self.form.is_valid():
            return []
        chips = []
        for name, value in self.form.cleaned_data.items():
            if value in (None, ""):
                continue
            field = self.form.fields[name]
            shown = dict(getattr(field, "choices", ())).get(value) or (
                format_date(value) if isinstance(field, VietnameseDateField) else str(value)
            )
            rest = self.data.copy()
            rest.pop(self.form.add_prefix(name), None)
            rest.pop("page", None)
            chips.append((field.label, shown, rest.urlencode()))
        return chips
