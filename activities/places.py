"""Chỗ cần sửa: what a reviewer may point at on the writer's form, by the id it has there."""

from activities.models import RecordNature
from activities.rules import entry_of

FIGURE = "id_sl-"  # + indicator code
EVIDENCE = "tep"


def places_of(activity, rules):
    """{id on the form: label} of a saved record."""
    figures = [row.indicator for row in rules.asked(activity)] + list(entry_of(activity, rules).figures)
    asked = {f"{FIGURE}{indicator.code}": f"Số liệu: {indicator}" for indicator in figures}
    nature = rules.kinds[activity.kind_id].nature
    if nature == RecordNature.STOCK:
        return {"id_last_day": "Ngày"} | asked
    if nature == RecordNature.MILESTONE:
        return {"id_last_day": "Ngày hoàn thành", "id_document": "Số, ngày văn bản", EVIDENCE: "Minh chứng"}
    days = {"id_first_day": "Ngày", "id_title": "Tên", "id_kind": "Loại hoạt động"}
    return days | asked | {EVIDENCE: "Minh chứng"}
