"""Django configuration."""

from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    """The money, and watching it."""

    name = "transactions"
    verbose_name = "Transactions"
