"""Thông báo: telling people in the app. Nights stay quiet."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from unionwork.text import nfc
from units.models import Notice, Role

QUIET_FROM, QUIET_UNTIL = time(21), time(7)  # local time
BATCH = 1000
LONGEST = 300  # characters
KEPT_DAYS = 90  # after it was read


def tell(*, users, unit, kind, text, url=""):
    """Leave a notice (`NoticeKind`) about something of `unit` for each of `users`; during the quiet hours it shows in
    the morning."""
    tell_each(kind=kind, rows=[(user, unit.pk, text, url) for user in {user.pk: user for user in users}.values()])


def tell_each(*, kind, rows):
    """Like `tell`, with words for each: `rows` of (user, unit id, text, address)."""
    show_at = next_loud(timezone.now())
    Notice.objects.bulk_create(
        [
            Notice(user=user, unit_id=unit, kind=kind, text=_cut(text), url=url[:300], show_at=show_at)
            for user, unit, text, url in rows
        ],
        batch_size=BATCH,
    )


def _cut(text):
    """A text that is too long ends in … instead of being refused."""
    text = nfc(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def read(*, user, only=None, until=None):
    """Mark the user's notices read: one, or all up to one (primary keys). Returns how many were unread."""
    unread = Notice.objects.visible_to(user).unread()
    unread = unread.filter(pk=only) if only else unread.filter(pk__lte=until)
    return unread.order_by().update(read_at=timezone.now())


def prune():
    """Delete what was read more than `KEPT_DAYS` days ago. Returns how many."""
    return Notice.objects.filter(read_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()[0]


def people_of(unit_ids, act):
    """{unit id: [User]}: the active people who may do `act` by a role on that very unit, by name. One statement.

    A unit where nobody may is left out. `unit_ids`: keys, or a queryset of them.
    """
    roles = Role.objects.filter(unit__in=unit_ids, role__in=act.roles, user__is_active=True)
    people = {}
    for role in roles.select_related("user").order_by("user__sort", "user_id"):
        people.setdefault(role.unit_id, {})[role.user_id] = role.user
    return {unit: list(users.values()) for unit, users in people.items()}


def next_loud(moment):
    """The moment itself, or the end of the quiet hours it lies in."""
    local = timezone.localtime(moment)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return moment
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=local.tzinfo)
