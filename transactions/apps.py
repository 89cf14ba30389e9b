"""Django configuration."""

from typing import Final

from django.apps import AppConfig

from audit.links import register_links

# How people call each kind of thing, and the prefix of its public id.
PAGES: Final = {
    "transfer": ("Transfer", "trf"),
    "hold": ("Hold", "hld"),
    "transferbatch": ("Batch", "bat"),
    "batchitem": ("Batch item", ""),
    "payment": ("Payment", "pay"),
    "dispute": ("Dispute", "dsp"),
    "providerpayout": ("Provider's payout", "ppo"),
    "journal": ("Journal", ""),
    "limit": ("Limit", "lim"),
    "journalproposal": ("Manual journal", "mjl"),
    "registeredpayee": ("Payee", "pye"),
    "suspenseposting": ("Suspense item", ""),
    "ledgeraccount": ("Books' account", "acc"),
}


class TransactionsConfig(AppConfig):
    """The money, and watching it."""

    name = "transactions"
    verbose_name = "Transactions"

    def ready(self) -> None:
        """Let references in the log lead to our pages, and decided requests to our acts."""
        register_links("transactions", PAGES)
        from transactions import acts  # noqa: F401, PLC0415 - registers by being imported
