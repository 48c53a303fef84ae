"""“… đang xem”: a reviewer has a record of the queue open, so that a second one leaves it to the first."""

from django.utils import timezone

from activities.models import Look


def look(*, activity, user):
    """Note that `user` has `activity` open now, and none that was open before. One statement."""
    Look.objects.bulk_create(
        [Look(user=user, activity=activity, at=timezone.now())],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["activity", "at"],
    )
