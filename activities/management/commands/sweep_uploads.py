from django.core.management.base import BaseCommand

from activities.writing.evidence import KEPT, sweep


class Command(BaseCommand):
    help = (
        f"Xoá minh chứng gửi lên quá {KEPT.days} ngày mà biểu mẫu không được lưu, và tệp lưu trữ không còn bản ghi. "
        "Chạy mỗi ngày một lần."
    )

    def handle(self, **options):
        done = sweep()
        self.stdout.write(
            f"Đã gắn {done.claimed} minh chứng vào hoạt động đã lưu, xoá {done.rows} minh chứng bỏ dở và "
            f"{done.files} tệp không còn bản ghi."
        )
