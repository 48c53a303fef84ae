from datetime import datetime, time

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from unionwork.dates import DateError, parse_date
from units.journal import verify

MOST_NAMED = 200  # faults listed one by one


class Command(BaseCommand):
    help = "Kiểm tra các chuỗi nhật ký từ mục đầu tiên; thoát 1 khi có mục bị sửa, xoá, chèn hay đổi chỗ."

    def add_arguments(self, parser):
        parser.add_argument(
            "--until",
            metavar="NGÀY",
            help="chỉ các mục ghi trước 0 giờ ngày này: mã của cùng một ngày không bao giờ đổi",
        )
        parser.add_argument("--digest-only", action="store_true", help="chỉ in một dòng để ghi lại ở nơi khác")

    def handle(self, *, until, digest_only, **options):
        found = verify(until=_midnight(until) if until else None)
        if digest_only:
            self.stdout.write(f"{until or 'đến nay'} {found.entries} {found.digest}")
        else:
            for fault in found.wrong[:MOST_NAMED]:
                self.stdout.write(fault)
            if len(found.wrong) > MOST_NAMED:
                self.stdout.write(f"… và {len(found.wrong) - MOST_NAMED} chỗ khác.")
            self.stdout.write(
                f"Đã kiểm tra {found.entries} mục trong {found.chains} chuỗi, {len(found.wrong)} chỗ sai."
            )
            self.stdout.write(f"Mã của toàn bộ nhật ký: {found.digest}")
        if found.wrong:
            raise CommandError("Nhật ký không còn như lúc được ghi.")


def _midnight(text):
    try:
        day = parse_date(text, timezone.localdate())
    except DateError as error:
        raise CommandError(error.message) from None
    return timezone.make_aware(datetime.combine(day, time.min))
