"""Django configuration."""

from typing import Final

from django.apps import AppConfig

from audit.links import register_links

# How people call each kind of thing, and the prefix of its public id.
PAGES: Final = {
    "transfer": ("Transfer", "trf"),
    "transferbatch": ("Batch", "bat"),
    "batchitem": ("Batch item", ""),
    "payment": ("Payment", "pay"),
    "dispute": ("Dispute", "dsp"),
    "providerpayout": ("Provider's payout", "ppo"),
    "journal": ("Journal", ""),
    "ledgeraccount": ("Books' account", "acc"),
}


class TransactionsConfig(AppConfig):
    """The money, and watching it."""

    name = "transactions"
    verbose_name = "Transactions"

    def ready(self) -> None:
        """Let references in the log lead to our pages."""
        register_links("transactions", PAGES)
