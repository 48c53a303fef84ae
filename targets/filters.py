import django_filters
from django import forms

from targets.models import Group, Indicator, Nature


class IndicatorFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label="Tìm theo tên hoặc mã", method="search", widget=forms.TextInput(attrs={"type": "search"})
    )
    nhom = django_filters.ChoiceFilter(label="Nhóm", field_name="group", choices=Group.choices, empty_label="Mọi nhóm")
    tinh_chat = django_filters.ChoiceFilter(
        label="Tính chất", field_name="nature", choices=Nature.choices, empty_label="Mọi tính chất"
    )
    thuoc = django_filters.ModelChoiceFilter(
        label="Thuộc chỉ số",
        field_name="part_of",
        queryset=Indicator.objects.filter(parts__isnull=False).distinct(),
        to_field_name="code",
        empty_label="Mọi chỉ số",
    )

    class Meta:
        model = Indicator
        fields = []

    def search(self, queryset, name, value):
        return queryset.matching(value)
