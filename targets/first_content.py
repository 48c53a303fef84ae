from unionwork.first_content import load_if_empty


def load_indicators(*, using, apps, **_):
    from targets.models import Indicator

    load_if_empty(Indicator, "indicators.json", using=using, apps=apps)
