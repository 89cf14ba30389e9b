"""Django configuration."""

from django.apps import AppConfig, apps


class AccountsConfig(AppConfig):
    """Who may, and whose it is."""

    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Where staff sign in: seal their seeds, and write down what happens at the door."""
        if apps.is_installed("allauth.mfa") and apps.is_installed("axes"):
            from accounts import receivers  # noqa: F401, PLC0415 - connects by being imported
            from accounts.crypto import seeds  # noqa: PLC0415 - needs the package's tables

            seeds.connect()
