"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.batches import BatchItem, TransferBatch
from transactions.models.clocks import ClosedBalance, ClosedMonth, Movement, RollUp
from transactions.models.findings import BooksCheck, Finding
from transactions.models.holds import Hold
from transactions.models.ledger import (
    Balance,
    Book,
    Journal,
    JournalOrigin,
    LedgerAccount,
    Posting,
    ReversedLine,
)
from transactions.models.limits import Limit, LimitUse
from transactions.models.payees import PayeeChange, RegisteredPayee
from transactions.models.payments import Dispute, Payment, ProviderPayout
from transactions.models.proposals import (
    JournalProposal,
    ProposedLine,
    SuspenseAllocation,
    SuspensePosting,
    SuspenseTally,
)
from transactions.models.transfers import Transfer

__all__ = [
    "Balance",
    "BatchItem",
    "Book",
    "BooksCheck",
    "ClosedBalance",
    "ClosedMonth",
    "Dispute",
    "Finding",
    "Hold",
    "Journal",
    "JournalOrigin",
    "JournalProposal",
    "LedgerAccount",
    "Limit",
    "LimitUse",
    "Movement",
    "PayeeChange",
    "Payment",
    "Posting",
    "ProposedLine",
    "ProviderPayout",
    "RegisteredPayee",
    "ReversedLine",
    "RollUp",
    "SuspenseAllocation",
    "SuspensePosting",
    "SuspenseTally",
    "Transfer",
    "TransferBatch",
]
