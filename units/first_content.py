from django.apps import apps as installed

from unionwork.first_content import load_if_empty


def load_kinds(*, using, apps=installed, **_):
    from units.models import UnitKind

    load_if_empty(UnitKind, "unit_kinds.json", using=using, apps=apps)
