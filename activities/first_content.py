from django.apps import apps as installed

from targets.first_content import load_indicators
from unionwork.first_content import load_if_empty


def load_activity_kinds(*, using, apps=installed, **_):
    load_indicators(using=using, apps=apps)  # kinds name indicators
    from activities.models import ActivityKind

    load_if_empty(ActivityKind, "activity_kinds.json", using=using, apps=apps)
