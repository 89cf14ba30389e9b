"""Django configuration."""

from typing import Final

from django.apps import AppConfig

from audit.links import register_links

# How people call each kind of thing, and the prefix of its public id.
PAGES: Final = {"callback": ("Callback", "cbk"), "dispatch": ("Call", "")}


class IntegrationsConfig(AppConfig):
    """The outside world: providers' callbacks, and our calls to them."""

    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        """Enter our pages, and what must be true of the inbox among what is checked."""
        register_links("integrations", PAGES)
        from integrations.selectors.invariants import INBOX  # noqa: PLC0415 - after the models
        from transactions.selectors.invariants import register  # noqa: PLC0415 - after the models

        for name, promise, sql in INBOX:
            register(name, promise=promise, sql=sql)
