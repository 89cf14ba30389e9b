"""Django configuration."""

from typing import Final

from django.apps import AppConfig, apps

from audit.links import register_links

# How people call each kind of thing, and the prefix of its public id.
PAGES: Final = {
    "account": ("Account", "acc"),
    "approval": ("Approval", "apr"),
    "customer": ("Customer", "cus"),
    "freeze": ("Freeze", "frz"),
    "partner": ("Partner", "par"),
}


class AccountsConfig(AppConfig):
    """Who may, and whose it is."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Enter our pages; where staff sign in, seal their seeds and watch the door."""
        register_links("accounts", PAGES)
        if apps.is_installed("allauth.mfa") and apps.is_installed("axes"):
            from accounts import receivers  # noqa: F401, PLC0415 - connects by being imported
            from accounts.crypto import seeds  # noqa: PLC0415 - needs the package's tables

            seeds.connect()
