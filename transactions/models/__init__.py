"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.findings import BooksCheck, Finding
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
    "Book",
    "BooksCheck",
    "Dispute",
    "Finding",
    "Hold",
    "Journal",
    "JournalOrigin",
    "LedgerAccount",
    "Limit",
    "Payment",
    "Posting",
    "ProviderPayout",
    "Transfer",
]
