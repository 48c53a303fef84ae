from unionwork.first_content import load_if_empty


def load_kinds(*, using, apps, **_):
    from units.models import UnitKind

    load_if_empty(UnitKind, "unit_kinds.json", using=using, apps=apps)
