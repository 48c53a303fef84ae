"""The year-end workbook: four sheets with live formulas that carry the stored figures as their values."""

import io
import re
import unicodedata

import xlsxwriter
from django.utils import timezone

from reports import workbook_figures, workbook_targets, workbook_units
from reports.workbook_page import Page

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DEFINITIONS = (
    (
        "Số liệu được tính",
        "Chỉ số liệu của hoạt động, kê khai đã duyệt hoặc đã chốt; chờ duyệt và bản nháp không tính.",
    ),
    ("Ô trống", "Chưa có số liệu; khác với số 0 là có báo cáo và bằng không."),
    ("Tổng", "Cộng số liệu của đơn vị và mọi đơn vị cấp dưới, mỗi hoạt động phối hợp tính một lần."),
    ("Trừ trùng", "Phần đã trừ vì nhiều đơn vị trong cùng cấp trên cùng ghi một hoạt động phối hợp."),
    ("Tự đơn vị", "Số liệu các hoạt động do chính đơn vị chủ trì hoặc phối hợp, chưa trừ trùng."),
    ("Cấp tỉnh, khối/huyện, cơ sở", "Theo cấp của công trình; hoạt động không chọn cấp thì theo cấp đơn vị chủ trì."),
    ("Số liệu thời điểm", "Ví dụ số đoàn viên: lấy lần kê khai được duyệt mới nhất của từng đơn vị, không cộng dồn."),
    ("Tỷ lệ", "Tổng tử số chia tổng mẫu số của mọi đơn vị, không phải trung bình các tỷ lệ."),
    ("Độ phủ", "Số đơn vị đạt ngưỡng chia tổng số đơn vị phải tính."),
    ("Mốc", "Hoàn thành khi có văn bản; ở cấp trên là tỷ lệ đơn vị trực thuộc đã hoàn thành."),
    ("Tỷ lệ % (so với giao)", "Kết quả chia chỉ tiêu giao; chưa đủ 100% thì không làm tròn lên 100%."),
    ("Tăng/giảm", "Kết quả trừ cùng kỳ năm trước; với tỷ lệ là điểm phần trăm."),
    (
        "Đánh giá",
        "Chưa có số; Chưa đạt (dưới 100%); Đạt (bằng 100%); Vượt (trên 100%). Xếp loại do người có thẩm quyền.",
    ),
)


def build(report):
    """Bytes of the workbook of a reports.yearend.YearEnd."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(stream, options)
    workbook.set_properties({"title": f"Báo cáo tổng kết năm {report.year}", "subject": report.unit.name})
    styles = {}
    for sheet in (workbook_targets, workbook_figures, workbook_units):
        sheet.write(workbook, styles, report)
    _explain(workbook, styles, report)
    workbook.close()
    return stream.getvalue()


def file_name(report, ending="xlsx"):
    """ASCII, whatever the unit's code: BaoCao_DKCQ_2024.xlsx."""
    code = unicodedata.normalize("NFD", report.unit.code.replace("Đ", "D").replace("đ", "d"))
    code = re.sub(r"[^0-9A-Za-z._-]+", "_", code.encode("ascii", "ignore").decode()).strip("._")
    return f"BaoCao_{code or report.unit.pk}_{report.year}.{ending}"


def _explain(workbook, styles, report):
    title = f"Giải thích số liệu năm {report.year}"
    page = Page(workbook, styles, report, "Giải thích", title, ("Mục", "Nội dung"), (38, 100))
    _row(page, "Đơn vị", report.unit.name)
    _row(page, "Mã đơn vị", report.unit.code)
    page.text(page.row, 0, "Số liệu chốt đến ngày", bold=True)
    page.date(page.row, 1, report.as_of)
    page.row += 1
    page.text(page.row, 0, "Ngày xuất", bold=True)
    page.date(page.row, 1, timezone.localdate())
    page.row += 1
    for warning in report.warnings or ["Không có cảnh báo."]:
        _row(page, "Lưu ý", warning)
    for term, meaning in DEFINITIONS:
        _row(page, term, meaning)
    page.close(frozen_columns=1)


def _row(page, term, meaning):
    page.text(page.row, 0, term, bold=True)
    page.text(page.row, 1, meaning)
    page.row += 1
