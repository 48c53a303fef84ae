from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ActivitiesConfig(AppConfig):
    name = "activities"
    verbose_name = "Hoạt động"

    def ready(self):
        from activities import known_histories  # noqa: F401 – says whose history may be read
        from activities.first_content import load_activity_kinds

        post_migrate.connect(load_activity_kinds, sender=self)
