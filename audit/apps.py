"""Django configuration of the ground floor."""

from django.apps import AppConfig

from audit.links import register_links


class AuditConfig(AppConfig):
    """Imports none of our other apps; every one of them imports this."""

    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Let references in the log lead to its own page."""
        register_links("audit", {"entry": ("Entry", "")})
