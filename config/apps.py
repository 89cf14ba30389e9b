"""Django configuration of the roof."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    """Holds no tables: only commands, templates and the wiring."""

    name = "config"
    label = "config"
    default = True

    def ready(self) -> None:
        """Make our Celery application the one that doorbells and tasks use."""
        import_module("config.celery")


class StaffAdminConfig(AdminConfig):
    """Django's admin with our own site in the place of the default one."""

    default = False
    default_site = "config.site.StaffSite"
