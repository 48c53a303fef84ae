"""manage.py demo: build the demo once, and print its accounts."""

import secrets
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from activities.audit import audit
from reports import demo
from targets.models import WorkYear
from units.models import Unit, User

SHOWN = (
    ("cb.a1", "cán bộ cơ sở", "ghi hoạt động, sửa bản bị trả lại"),
    ("bt.dka", "bí thư Đoàn Khối", "duyệt, xem tiến độ"),
    ("vp.dka", "văn phòng Đoàn Khối", "giao chỉ tiêu, báo cáo tổng kết"),
    ("vp.tw", "văn phòng Trung ương", "chỉ tiêu Trung ương, danh mục chỉ số, đề nghị chốt năm"),
    ("qt.tw", "quản trị Trung ương", "người thứ hai chốt năm"),
    ("xem.tw", "lãnh đạo", "xem mọi báo cáo"),
    ("qt.a", "quản trị tỉnh A", "thêm, đổi tên, chuyển đơn vị"),
)


class Command(BaseCommand):
    help = "Nạp dữ liệu minh họa một lần rồi in các tài khoản. Chỉ chạy khi DEBUG bật."

    def handle(self, **options):
        if not settings.DEBUG:
            raise CommandError("Dữ liệu minh họa chỉ dùng trên máy thử (DEBUG): không nạp vào hệ thống thật.")
        if not demo.is_loaded():
            if Unit.objects.exists():
                raise CommandError("Cơ sở dữ liệu đã có đơn vị thật: dữ liệu minh họa chỉ nạp vào cơ sở dữ liệu trống.")
            self._load()
        self._accounts()

    def _load(self):
        self.stdout.write("Nạp dữ liệu minh họa (một lần, khoảng một phút):")
        began = time.monotonic()

        def say(what, rows):
            self.stdout.write(f"  {time.monotonic() - began:5.1f} giây  {what}: {rows}")
            self.stdout.flush()

        try:
            with transaction.atomic():
                demo.load(say)
                audits = [audit(year) for year in WorkYear.objects.values_list("year", flat=True)]
        except demo.DemoError as error:
            raise CommandError(str(error)) from error
        compared, wrong = (
            sum(counts) for counts in zip(*((a.compared, len(a.differences)) for a in audits), strict=True)
        )
        say("ô tổng hợp đã đối chiếu", f"{compared}, trong đó {wrong} ô khác")

    def _accounts(self):
        password = self._password()
        self.stdout.write("\nTài khoản minh họa, mật khẩu chung: " + self.style.SUCCESS(password))
        people = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in SHOWN])}
        for username, who, what in SHOWN:
            if username in people:
                self.stdout.write(f"  {username:8} {who}: {what}")

    def _password(self):
        """The password made for this database; kept beside it so that it can be shown again."""
        file = settings.BASE_DIR / f"demo-accounts-{connection.vendor}.txt"
        known = file.read_text().strip() if file.exists() else ""
        shown = User.objects.get(username=SHOWN[0][0])
        if not known or not shown.check_password(known):
            known = f"minh-hoa-{secrets.token_hex(4)}"
            demo.set_password(known)
            file.write_text(known + "\n")
            file.chmod(0o600)
        return known
