"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.batches import BatchItem, TransferBatch
from transactions.models.ledger import (
    Balance,
    Book,
    Journal,
    JournalOrigin,
    LedgerAccount,
    Posting,
)
from transactions.models.payments import Dispute, Payment, ProviderPayout
from transactions.models.transfers import Hold, Limit, Transfer

__all__ = [
    "Balance",
    "BatchItem",
    "Book",
    "Dispute",
    "Hold",
    "Journal",
    "JournalOrigin",
    "LedgerAccount",
    "Limit",
    "Payment",
    "Posting",
    "ProviderPayout",
    "Transfer",
    "TransferBatch",
]
