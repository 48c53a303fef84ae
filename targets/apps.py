from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TargetsConfig(AppConfig):
    name = "targets"
    verbose_name = "Chỉ tiêu"

    def ready(self):
        from targets import known_histories  # noqa: F401 – says whose history may be read
        from targets.first_content import load_indicators

        post_migrate.connect(load_indicators, sender=self)
