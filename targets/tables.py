"""Tables of the target pages: columns, nothing else."""

import django_tables2 as tables
from django_tables2.utils import A

from targets.models import Indicator

TITLE = {"td": {"class": "title"}}  # on phones the head of the card, without its column's name


class TargetTable(tables.Table):
    """Rows are `targets.lines.Line`s."""

    number = tables.Column(verbose_name="Số", attrs={"td": {"class": "num"}, "th": {"class": "num"}})
    text = tables.TemplateColumn(template_name="targets/_target_link.html", verbose_name="Chỉ tiêu", attrs=TITLE)
    measures = tables.TemplateColumn(template_name="targets/_plans.html", verbose_name="Kế hoạch của đơn vị")
    issuer = tables.Column(verbose_name="Đơn vị ban hành")
    source = tables.Column(verbose_name="Nguồn")

    class Meta:
        orderable = False
        empty_text = ""


class IndicatorTable(tables.Table):
    name = tables.Column(order_by=("name", "pk"), attrs=TITLE)
    unit_of_measure = tables.Column(orderable=False)
    nature = tables.Column(orderable=False)
    group = tables.Column(orderable=False)
    part_of = tables.Column(orderable=False, default="–")
    code = tables.Column(order_by=("code",))

    class Meta:
        model = Indicator
        fields = ("name", "code", "unit_of_measure", "nature", "group", "part_of")
        order_by = ()


class EditableIndicatorTable(IndicatorTable):
    """For those who keep the catalogue: the name opens the form."""

    name = tables.LinkColumn("indicator_edit", args=[A("pk")], order_by=("name", "pk"), attrs=TITLE)

    class Meta(IndicatorTable.Meta):
        pass
