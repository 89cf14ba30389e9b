"""The pages of this app in the staff's admin.

Accounts, partners, freezes and approvals are here too: what is done on them moves or stops
money.
"""

from transactions.admin.accounts import AccountPage
from transactions.admin.approvals import ApprovalPage
from transactions.admin.batches import BatchPage, ItemPage
from transactions.admin.freezes import FreezePage
from transactions.admin.holds import HoldPage
from transactions.admin.journals import JournalPage
from transactions.admin.ledger_accounts import LedgerAccountPage
from transactions.admin.limits import LimitPage
from transactions.admin.partners import PartnerPage
from transactions.admin.payees import PayeePage
from transactions.admin.payments import DisputePage, PaymentPage
from transactions.admin.proposals import JournalProposalPage
from transactions.admin.suspense import SuspensePage
from transactions.admin.transfers import TransferPage

__all__ = [
    "AccountPage",
    "ApprovalPage",
    "BatchPage",
    "DisputePage",
    "FreezePage",
    "HoldPage",
    "ItemPage",
    "JournalPage",
    "JournalProposalPage",
    "LedgerAccountPage",
    "LimitPage",
    "PartnerPage",
    "PayeePage",
    "PaymentPage",
    "SuspensePage",
    "TransferPage",
]
