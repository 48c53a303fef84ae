from django.apps import AppConfig
from django.db.models.signals import post_migrate


class UnitsConfig(AppConfig):
    name = "units"
    verbose_name = "Đơn vị"

    def ready(self):
        from units import known_histories  # noqa: F401 – says whose history may be read
        from units.first_content import load_kinds

        post_migrate.connect(load_kinds, sender=self)
