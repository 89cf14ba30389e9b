"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.ledger import (
    Balance,
    Book,
    Journal,
    JournalOrigin,
    LedgerAccount,
    Posting,
)
from transactions.models.payees import PayeeChange, RegisteredPayee
from transactions.models.payments import Dispute, Payment, ProviderPayout
from transactions.models.proposals import (
    JournalProposal,
    ProposedLine,
    SuspenseAllocation,
    SuspensePosting,
    SuspenseTally,
)
from transactions.models.transfers import Hold, Limit, Transfer

__all__ = [
    "Balance",
    "Book",
    "Dispute",
    "Hold",
    "Journal",
    "JournalOrigin",
    "JournalProposal",
    "LedgerAccount",
    "Limit",
    "PayeeChange",
    "Payment",
    "Posting",
    "ProposedLine",
    "ProviderPayout",
    "RegisteredPayee",
    "SuspenseAllocation",
    "SuspensePosting",
    "SuspenseTally",
    "Transfer",
]
