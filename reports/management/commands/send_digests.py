from smtplib import SMTPException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from reports import digest_mail


class Command(BaseCommand):
    help = "Gửi thư “Việc hôm nay” cho người đã đăng ký, mỗi ngày một lần. Không gửi trong giờ yên lặng 21:00-07:00."

    def add_arguments(self, parser):
        parser.add_argument("--again", action="store_true", help="gửi dù hôm nay đã gửi")

    def handle(self, *, again, **options):
        if not settings.MAIL_IS_ON:
            raise CommandError("Chưa bật gửi thư: đặt EMAIL_URL, EMAIL_FROM và SITE_URL (docs/deployment.md).")
        try:
            sent = digest_mail.send_all(again=again)
        except ValidationError as refused:
            self.stdout.write(" ".join(refused.messages))
            return
        except (SMTPException, OSError) as error:
            raise CommandError(f"Không nối được với máy chủ thư: {error}") from error
        self.stdout.write(f"Đã gửi {sent.mails} thư; {sent.empty} người không có việc chờ.")
        if sent.failed:
            self.stderr.write(f"Không gửi được {len(sent.failed)} thư: {', '.join(sent.failed)}.")
        if sent.failed and not sent.mails:
            raise CommandError("Không thư nào gửi được: xem lại máy chủ thư.")
