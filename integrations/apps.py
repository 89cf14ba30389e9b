"""Django configuration."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """The outside world: providers' callbacks, and our calls to them."""

    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        """Add what must be true of the inbox to what is checked of the books."""
        from integrations.selectors.invariants import INBOX  # noqa: PLC0415 - after the models
        from transactions.selectors.invariants import register  # noqa: PLC0415 - after the models

        for name, promise, sql in INBOX:
            register(name, promise=promise, sql=sql)
