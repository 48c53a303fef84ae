"""Tables of units: columns only."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from unionwork.numbers import format_number

NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}


class ChildTable(tables.Table):
    """Placements under one unit, with the counts of `outline.with_counts`."""

    name = tables.Column(verbose_name="Đơn vị", accessor="unit__name", order_by=("unit__sort", "unit_id"))
    code = tables.Column(verbose_name="Mã", accessor="unit__code", order_by=("unit__code",))
    kind = tables.Column(
        verbose_name="Loại", accessor="unit__kind__name", order_by=("unit__kind__position", "unit__sort", "unit_id")
    )
    children = tables.Column(verbose_name="Đơn vị con", attrs=NUMBER, orderable=False, empty_values=())
    people = tables.Column(verbose_name="Tài khoản", attrs=NUMBER, orderable=False, empty_values=())

    class Meta:
        empty_text = "Không có đơn vị nào khớp."

    def __init__(self, *args, year, **kwargs):
        super().__init__(*args, **kwargs)
        self.year = year

    def render_name(self, record):
        unit = record.unit
        link = format_html('<a href="{}?nam={}">{}</a>', reverse("unit_detail", args=[unit.code]), self.year, unit.name)
        return format_html('{} <span class="tag tag-cancelled">đã giải thể</span>', link) if unit.dissolved else link

    def render_children(self, value):
        return format_number(value or 0)

    def render_people(self, value):
        return format_number(value or 0)
