from django.core.management.base import BaseCommand

from units import notices


class Command(BaseCommand):
    help = f"Xoá thông báo đã đọc quá {notices.KEPT_DAYS} ngày."

    def handle(self, **options):
        self.stdout.write(f"Đã xoá {notices.prune()} thông báo.")
