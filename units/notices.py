"""Thông báo: telling people in the app. Nights stay quiet."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from units.models import Notice

QUIET_FROM, QUIET_UNTIL = time(21), time(7)  # local time
BATCH = 1000


def tell(*, users, unit, kind, text, url=""):
    """Leave a notice (`NoticeKind`) about something of `unit` for each of `users`; during the quiet hours it shows in
    the morning."""
    show_at = next_loud(timezone.now())
    Notice.objects.bulk_create(
        [
            Notice(user=user, unit=unit, kind=kind, text=text[:300], url=url[:300], show_at=show_at)
            for user in {user.pk: user for user in users}.values()
        ],
        batch_size=BATCH,
    )


def next_loud(moment):
    """The moment itself, or the end of the quiet hours it lies in."""
    local = timezone.localtime(moment)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return moment
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=local.tzinfo)
