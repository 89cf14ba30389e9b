"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.clocks import ClosedBalance, ClosedMonth, Movement, RollUp
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
    "ClosedBalance",
    "ClosedMonth",
    "Dispute",
    "Hold",
    "Journal",
    "JournalOrigin",
    "LedgerAccount",
    "Limit",
    "Movement",
    "Payment",
    "Posting",
    "ProviderPayout",
    "RollUp",
    "Transfer",
]
