"""The daily mail: “Việc hôm nay” as plain text, to those who asked for it and only when something waits."""

from dataclasses import dataclass, field
from smtplib import SMTPException

from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from reports.digest import digest_of
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.verbs import verb
from units import journal, notices
from units.models import JournalEntry, User


@dataclass
class Sent:
    """How many mails went out, how many people had nothing waiting, and whom (user names) no mail could reach."""

    mails: int = 0
    empty: int = 0
    failed: list = field(default_factory=list)


def send_all(*, again=False):
    """Write to everybody who wants the mail; `again`: although it was done today. Returns `Sent`.

    Raises ValidationError during the quiet hours and the second time on one day, SMTPException or OSError when the
    mail server cannot be reached. One address that is refused stops nobody else's mail.
    """
    now = timezone.now()
    if notices.next_loud(now) != now:
        raise ValidationError("Đang giờ yên lặng (21:00–07:00): không gửi thư.")
    people = list(User.objects.filter(is_active=True, wants_mail=True).exclude(email="").order_by("pk"))
    connection = mail.get_connection()
    connection.open()
    try:
        begin(day=timezone.localdate(now), people=len(people), again=again)
        return _send(people, connection)
    finally:
        connection.close()


@verb("Gửi thư tổng hợp")
def begin(*, day, people, again=False):
    """Note in the journal that the mails of `day` go out now, so that they do so once. Raises ValidationError when
    they did already, unless they shall go out `again`."""
    label = f"Thư “Việc hôm nay” ngày {format_date(day)}"
    journal.write([journal.Note(begin.code, User(), None, label=label, changes=[["Người đăng ký", "", people]])])
    # Counted after writing: whoever writes to the journal at the same moment comes before or after, never beside.
    if not again and JournalEntry.objects.filter(verb=begin.code, label=label).count() > 1:
        raise ValidationError(f"{label} đã gửi rồi. Thêm --again để gửi lại cho mọi người.")


def _send(people, connection):
    sent = Sent()
    for user in people:
        items = digest_of(user)
        if not items:
            sent.empty += 1
            continue
        try:
            _mail(user, items, connection).send()
            sent.mails += 1
        except (SMTPException, OSError, ValueError):  # ValueError: an address that cannot stand in a header
            sent.failed.append(user.username)
            connection.close()  # opened afresh for the next one
    return sent


def _mail(user, items, connection):
    """No name ever stands in a header: the subject is ours, the recipient a bare address."""
    return mail.EmailMessage(
        f"Việc hôm nay {format_date(timezone.localdate())}",
        as_text(user, items),
        to=[user.email],
        connection=connection,
        headers={"Auto-Submitted": "auto-generated"},
    )


def as_text(user, items):
    parts = [f"Chào {user},", f"Việc chờ bạn ngày {format_date(timezone.localdate())}:"]
    parts += [_as_text(number, item) for number, item in enumerate(items, start=1)]
    parts.append(f"Không muốn nhận thư này nữa: {settings.SITE_URL}{reverse('account')}")
    return "\n\n".join(parts) + "\n"


def _as_text(number, item):
    lines = [f"{number}. {item.text}" + (f". {item.detail}" if item.detail else "")]
    lines += [f"   - {line.text}" for line in item.lines]
    if item.more:
        lines.append(f"   - và {format_number(item.more)} nữa")
    return "\n".join([*lines, f"   {settings.SITE_URL}{item.url}"])
