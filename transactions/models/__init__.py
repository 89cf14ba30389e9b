"""Every table of this app, re-exported for Django and for other apps."""

from transactions.models.archive import ArchivedBalance, ArchivedMonth
from transactions.models.batches import BatchItem, TransferBatch
from transactions.models.clocks import ClosedBalance, ClosedMonth, Movement, RollUp
from transactions.models.consents import PayInConsent
from transactions.models.conversions import Conversion
from transactions.models.fees import FeeRule
from transactions.models.files import BatchFile
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
    "ArchivedBalance",
    "ArchivedMonth",
    "Balance",
    "BatchFile",
    "BatchItem",
    "Book",
    "BooksCheck",
    "ClosedBalance",
    "ClosedMonth",
    "Conversion",
    "Dispute",
    "FeeRule",
    "Finding",
    "Hold",
    "Journal",
    "JournalOrigin",
    "JournalProposal",
    "LedgerAccount",
    "Limit",
    "LimitUse",
    "Movement",
    "PayInConsent",
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
