from django.core.management.base import BaseCommand

from activities.reporting.reminders import nudge_all


class Command(BaseCommand):
    help = (
        "Nhắc các đơn vị chưa báo cáo kỳ: trước hạn 5 ngày, đúng ngày đến hạn và sau hạn 2 ngày. "
        "Chạy mỗi ngày một lần; chạy lại không nhắc thêm, ngày bị lỡ thì lần chạy sau nhắc bù."
    )

    def handle(self, **options):
        done = nudge_all()
        self.stdout.write(f"Đã nhắc {done.units} đơn vị ({done.notices} thông báo).")
