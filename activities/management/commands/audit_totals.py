from django.core.management.base import BaseCommand, CommandError

from activities.audit import audit
from targets.models import WorkYear


def shown(cell):
    return "giá trị {}, trừ trùng {}, số bản ghi {}".format(*cell)


class Command(BaseCommand):
    help = "Tính lại mọi tổng đã lưu từ các bản ghi bằng một đường độc lập; thoát 1 khi có ô khác."

    def add_arguments(self, parser):
        parser.add_argument("--year", type=int, help="chỉ năm công tác này (mặc định: mọi năm)")

    def handle(self, *, year, **options):
        years = sorted(WorkYear.objects.values_list("year", flat=True))
        if year is not None:
            if year not in years:
                raise CommandError(f"Không có năm công tác {year}.")
            years = [year]
        compared = wrong = 0
        for each in years:
            outcome = audit(each)
            compared += outcome.compared
            wrong += len(outcome.differences)
            for row in outcome.differences:
                month = f"tháng {row.month}" if row.month else "cả năm"
                self.stdout.write(
                    f"{row.unit} · {row.year} · {month} · {row.indicator} · tỉnh {row.province}: "
                    f"đang lưu {shown(row.stored)}; tính lại {shown(row.recomputed)}"
                )
        self.stdout.write(f"Đã so {compared} ô, {wrong} ô khác.")
        if wrong:
            raise CommandError(f"{wrong} ô tổng hợp không khớp với các bản ghi.")
