from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "unionwork"
    verbose_name = "Nền"
