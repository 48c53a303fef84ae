from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "Báo cáo"

    def ready(self):
        from reports import digest_mail  # noqa: F401 – no page needs it, but the journal has to call its verb by name
