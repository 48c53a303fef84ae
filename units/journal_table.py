"""The journal as a table on the page and as a file."""

import django_tables2 as tables
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from units import histories

BLANK = "–"
SYSTEM = "Hệ thống"  # did what nobody did
HEADERS = (
    "Ngày",
    "Giờ",
    "Tên đăng nhập",
    "Người làm",
    "Việc",
    "Đối tượng",
    "Mã đơn vị",
    "Đơn vị",
    "Năm công tác",
    "Thay đổi",
    "Lý do",
    "Số mục",
)


class JournalTable(tables.Table):
    """A row per entry; what changed and why stand under what it was done to."""

    label = tables.Column(verbose_name="Đối tượng", attrs={"td": {"class": "title"}})
    at = tables.Column(verbose_name="Lúc")
    actor = tables.Column(verbose_name="Người làm", empty_values=())
    verb = tables.Column(accessor="verb_in_words", verbose_name="Việc")
    unit = tables.Column(verbose_name="Đơn vị", default=BLANK)

    class Meta:
        order_by = ()
        orderable = False
        empty_text = "Không có việc nào."

    def render_label(self, record):
        slug = histories.slug_of(record.object_type)
        name = record.label
        if slug and record.object_id is not None:
            name = format_html('<a href="{}">{}</a>', reverse("history", args=[slug, record.object_id]), name)
        why = format_html('<div class="hint">{}</div>', record.reason) if record.reason else ""
        lines = format_html_join(
            "", "<li>{}: {} → {}</li>", ((what, old or BLANK, new or BLANK) for what, old, new in record.changes)
        )
        return format_html("{}{}{}", name, format_html("<ul>{}</ul>", lines) if lines else "", why)

    def render_at(self, value):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")

    def render_actor(self, value):
        return str(value) if value else SYSTEM


def file_rows(entries):
    """The cells of each entry under HEADERS, in local time."""
    for entry in entries.iterator(chunk_size=2000):
        at = timezone.localtime(entry.at)
        yield [
            at.date(),
            f"{at:%H:%M:%S}",
            entry.actor.username if entry.actor else "",
            str(entry.actor or SYSTEM),
            entry.verb_in_words,
            entry.label,
            entry.unit.code if entry.unit else "",
            entry.unit.name if entry.unit else "",
            None if entry.year is None else str(entry.year),
            "\n".join(f"{what}: {old or BLANK} → {new or BLANK}" for what, old, new in entry.changes),
            entry.reason,
            f"{entry.chain}/{entry.number}",
        ]
