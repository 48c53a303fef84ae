"""Tables of records and declarations: columns only."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from unionwork.dates import format_date
from unionwork.numbers import format_number

TITLE = {"td": {"class": "title"}}  # on phones the head of the card, without its column's name


class ActivityTable(tables.Table):
    """The list with the chosen columns (`activities.columns.Column`), in their order."""

    class Meta:
        order_by = ()
        orderable = False
        empty_text = "Không có hoạt động nào."

    def __init__(self, rows, columns):
        super().__init__(rows, extra_columns=[(f"column_{n}", column.on_page()) for n, column in enumerate(columns)])


class HostTable(tables.Table):
    """A row per co-host of a joint activity: what others wrote down for it, and its answer."""

    title = tables.TemplateColumn(template_name="activities/_joint_cell.html", verbose_name="Hoạt động", attrs=TITLE)
    lead = tables.Column(accessor="activity__unit", verbose_name="Đơn vị chủ trì")
    unit = tables.Column(verbose_name="Đơn vị phối hợp")
    last_day = tables.Column(accessor="activity__last_day", verbose_name="Ngày")
    figures = tables.TemplateColumn(template_name="activities/_joint_figures_cell.html", verbose_name="Số liệu")
    state = tables.TemplateColumn(template_name="activities/_joint_state_cell.html", verbose_name="Trả lời")
    answer = tables.TemplateColumn(template_name="activities/_joint_answer_cell.html", verbose_name="Quyết định")

    class Meta:
        order_by = ()
        orderable = False

    def render_last_day(self, value):
        return format_date(value)


class LevelColumn(tables.Column):
    """A declared level (up to the day `until`), linking to the declarations behind it; `total` of the whole subtree
    below."""

    def __init__(self, indicator, year, total, until):
        super().__init__(
            verbose_name=f"{indicator} ({indicator.unit_of_measure})",
            empty_values=(),
            attrs={name: {"class": "num"} for name in ("td", "th", "tf")},
            footer=indicator.format(total),
        )
        self.indicator, self.year, self.until = indicator, year, until

    def render(self, record):
        value = record.values.get(self.indicator)
        if value is None:
            return "–"
        narrowed = {
            "nam": self.year,
            "don-vi": record.unit.code,
            "chi-so": self.indicator.code,
            "trang-thai": "da-duyet",
        } | ({"den": format_date(self.until)} if self.until else {})
        address = f"{reverse('activity_list')}?{urlencode(narrowed)}"
        return format_html('<a href="{}">{}</a>', address, self.indicator.format(value))


class DeclarationTable(tables.Table):
    """A row per unit; a column per indicator that anybody has declared; last, whom to call where some is lacking."""

    unit = tables.TemplateColumn(
        template_name="activities/_declaring_cell.html", verbose_name="Đơn vị", attrs=TITLE, footer="Toàn đơn vị"
    )
    done = tables.TemplateColumn(
        template_name="activities/_declared_cell.html",
        verbose_name="Đã kê khai",
        footer=lambda table: f"{format_number(table.overview.done)}/{format_number(table.overview.expected)}",
    )
    latest = tables.TemplateColumn(template_name="activities/_latest_cell.html", verbose_name="Lần gần nhất")
    people = tables.TemplateColumn(template_name="activities/_people_cell.html", verbose_name="Liên hệ")

    class Meta:
        orderable = False
        empty_text = "Không có đơn vị nào trực thuộc để kê khai."

    def __init__(self, rows, *, year, overview, until=None):
        self.overview, self.until = overview, until
        indicators = sorted(overview.total, key=lambda one: (one.position, one.code))
        columns = [(f"level_{one.pk}", LevelColumn(one, year, overview.total[one], until)) for one in indicators]
        lacking = any(not row.is_complete for row in rows)
        super().__init__(rows, extra_columns=columns, exclude=() if lacking else ("people",))
