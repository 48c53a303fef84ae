from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from reports.prefill import prefilled
from reports.workbook_kinds import RESOURCES, resource_for
from targets.years import check_year
from units.models import Unit, User


class Command(BaseCommand):
    help = "Ghi tệp mẫu để điền: đủ cột, có danh sách chọn, điền sẵn mã của đơn vị."

    def add_arguments(self, parser):
        parser.add_argument("what", metavar="WHAT", help=", ".join(RESOURCES))
        parser.add_argument("--to", required=True, metavar="FILE.xlsx")
        parser.add_argument("--unit", metavar="CODE", help="điền sẵn cho đơn vị này và cấp dưới của nó")
        parser.add_argument("--year", type=int, help="theo cây đơn vị và chỉ tiêu của năm này")

    def handle(self, *, what, to, unit, year, **options):
        if what not in RESOURCES:
            raise CommandError(f"Không có loại tệp “{what}”; chọn một trong: {', '.join(RESOURCES)}.")
        path = Path(to)
        if path.suffix.lower() != ".xlsx":
            raise CommandError("Tệp mẫu là tệp Excel: chọn tên tệp có đuôi .xlsx.")
        found = Unit.objects.filter(code=unit).first() if unit else None
        if unit and found is None:
            raise CommandError(f"Không có đơn vị mã “{unit}”.")
        if year is not None:
            try:
                check_year(year)
            except ValidationError as refused:
                raise CommandError(" ".join(refused.messages)) from refused
        # Whoever may run commands on the server sees everything there; nobody's account is borrowed for that.
        everything = User(pk=0, is_superuser=True)
        content = resource_for(what, user=everything).template(**prefilled(what, found, year))
        try:
            path.write_bytes(content)
        except OSError as failed:
            raise CommandError(f"Không ghi được {path}: {failed.strerror}.") from failed
        self.stdout.write(f"Đã ghi {path}.")
