from django.apps import apps as installed

from unionwork.first_content import load_if_empty


def load_indicators(*, using, apps=installed, **_):
    from targets.models import Indicator

    load_if_empty(Indicator, "indicators.json", using=using, apps=apps)
