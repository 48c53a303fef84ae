from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reports.workbook_kinds import RESOURCES, resource_for, takes_approver
from unionwork.imports import run_import
from units.models import User


class Command(BaseCommand):
    help = "Nhập một tệp .xlsx, tất cả hoặc không gì; thoát 1 khi có dòng bị từ chối."

    def add_arguments(self, parser):
        parser.add_argument("what", metavar="WHAT", help=", ".join(RESOURCES))
        parser.add_argument("file", metavar="FILE.xlsx")
        parser.add_argument("--as", required=True, dest="username", metavar="USER", help="nhập với quyền của người này")
        parser.add_argument("--check", action="store_true", help="chỉ kiểm tra, không ghi gì")
        parser.add_argument("--approved-by", metavar="USER2", help="người thứ hai, đã duyệt các bản ghi này")

    def handle(self, *, what, file, username, check, approved_by, **options):
        if what not in RESOURCES:
            raise CommandError(f"Không có loại tệp “{what}”; chọn một trong: {', '.join(RESOURCES)}.")
        if approved_by and not takes_approver(what):
            raise CommandError(f"--approved-by chỉ dùng khi nhập hoạt động hoặc kê khai, không dùng cho {what}.")
        if approved_by and approved_by == username:
            raise CommandError("Người duyệt phải là người khác với người nhập.")
        if not Path(file).is_file():
            raise CommandError(f"Không tìm thấy tệp {file}.")
        approver = _user(approved_by) if approved_by else None
        outcome = run_import(resource_for(what, user=_user(username), approver=approver), file, check=check)
        self.stdout.write(outcome.summary())
        for sentence in outcome.errors:
            self.stdout.write(sentence)
        if outcome.errors:
            raise CommandError("Không ghi gì vào hệ thống: sửa các chỗ trên rồi nhập lại.")


def _user(username):
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist:
        raise CommandError(f"Không có tài khoản “{username}” đang hoạt động.") from None
