from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reports import workbook
from reports.export_json import as_json
from reports.yearend import NotInTree, gather
from targets.models import WorkYear
from unionwork.dates import DateError, parse_date
from units.models import Unit

WRITERS = {".xlsx": workbook.build, ".json": lambda report: as_json(report).encode()}


class Command(BaseCommand):
    help = "Ghi báo cáo tổng kết của một đơn vị ra tệp .xlsx hoặc .json."

    def add_arguments(self, parser):
        parser.add_argument("--unit", required=True, metavar="CODE", help="mã đơn vị")
        parser.add_argument("--year", required=True, type=int, help="năm công tác")
        parser.add_argument("--as-of", metavar="YYYY-MM-DD", help="chỉ tính đến hết ngày này (mặc định: cả năm)")
        parser.add_argument("--to", required=True, metavar="FILE", help="tệp để ghi; đuôi .xlsx hoặc .json")

    def handle(self, *, unit, year, as_of, to, **options):
        path = Path(to)
        write = WRITERS.get(path.suffix.lower())
        if write is None:
            known = " hoặc ".join(WRITERS)
            raise CommandError(f"Không ghi được tệp đuôi “{path.suffix}”: chọn tên tệp có đuôi {known}.")
        try:
            report = gather(_unit(unit), _year(year), as_of and parse_date(as_of))
        except (DateError, NotInTree) as refused:
            raise CommandError(str(refused)) from refused
        try:
            path.write_bytes(write(report))
        except OSError as failed:
            raise CommandError(f"Không ghi được {path}: {failed.strerror}.") from failed
        self.stdout.write(f"Đã ghi {path}: {report.summary.sentence}.")


def _unit(code):
    try:
        return Unit.objects.get(code=code)
    except Unit.DoesNotExist:
        raise CommandError(f"Không có đơn vị mã “{code}”.") from None


def _year(year):
    try:
        return WorkYear.objects.get(pk=year)
    except WorkYear.DoesNotExist:
        raise CommandError(f"Chưa mở năm công tác {year}.") from None
