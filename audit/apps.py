"""Django configuration of the ground floor."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Imports none of our other apps; every one of them imports this."""

    name = "audit"
    verbose_name = "Audit"
