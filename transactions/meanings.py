"""What a provider's word means in our terms: values that commands turn into states and journals.

Pure: no Django. Amounts are whole minor units (ISO 4217), currencies upper case, instants aware
and the provider's own, so that every copy of the same news reads the same in any order.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from audit.typeids import parse_typeid


class MovementKind(StrEnum):
    """Why the provider moved money on our balance with it."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT = "payout"
    PAYOUT_FAILURE = "payout_failure"
    FEE = "fee"
    ADJUSTMENT = "adjustment"


class PaymentState(StrEnum):
    """How far a payer's payment has come. The last three are terminal."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DisputeState(StrEnum):
    """How far a dispute has come. WON, LOST and WARNING_CLOSED are terminal.

    A warning is an inquiry that has moved no money.
    """

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class PayoutState(StrEnum):
    """How far the provider's payout to our bank has come. FAILED may still follow PAID."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved on our balance with a provider: one movement, one journal.

    `reference` is the provider's balance transaction, `amount_minor` the gross, signed as the
    provider states it (positive: our balance grew), `fee_minor` what the provider kept (negative:
    gave back). `payment_ref` names the charge, `subject_ref` the charge, refund, dispute or
    payout that caused it. `account_id` is our account named in the payer's metadata, None where
    absent or malformed.
    """

    provider: str
    reference: str
    kind: MovementKind
    amount_minor: int
    fee_minor: int
    currency: str
    occurred_at: datetime
    payment_ref: str | None
    subject_ref: str
    account_id: UUID | None

    @property
    def net_minor(self) -> int:
        """Return what reached our balance: gross less fee."""
        return self.amount_minor - self.fee_minor

    @property
    def origin(self) -> str:
        """Return the journal's unique origin, `provider:reference`."""
        return f"{self.provider}:{self.reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """How a payment stands. Moves no money.

    `reference` is the charge; while there is none yet, it is the intent and equals
    `intent_ref`, by which the charge is recognised when it comes. `refunded_minor` is cumulative.
    """

    provider: str
    reference: str
    intent_ref: str | None
    state: PaymentState
    amount_minor: int
    refunded_minor: int
    currency: str
    occurred_at: datetime
    account_id: UUID | None
    failure_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeNotice:
    """How a dispute stands. Moves no money: withdrawal and reinstatement are movements."""

    provider: str
    reference: str
    payment_ref: str
    state: DisputeState
    amount_minor: int
    currency: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutNotice:
    """How a payout to our bank stands. Moves no money: the payout and its return are movements."""

    provider: str
    reference: str
    state: PayoutState
    amount_minor: int
    currency: str
    arrival_at: datetime
    occurred_at: datetime
    failure_code: str | None


class TransferState(StrEnum):
    """What a bank says of a payment that we asked it for. SETTLED may be followed by RETURNED."""

    ACCEPTED = "accepted"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferNotice:
    """How a payment of ours stands at the bank.

    `reference` is our transfer's TypeID, `provider_ref` the bank's name for the payment;
    `reason` is the bank's code for a failure or a return.
    """

    provider: str
    reference: str
    provider_ref: str
    state: TransferState
    amount_minor: int
    currency: str
    reason: str | None
    occurred_at: datetime

    @property
    def transfer_id(self) -> UUID | None:
        """Return our transfer's key, None where the reference is no name that we give."""
        try:
            return parse_typeid("trf", self.reference)
        except ValueError:
            return None


Meaning: TypeAlias = Movement | PaymentNotice | DisputeNotice | PayoutNotice | TransferNotice


class NotUnderstood(Exception):
    """An authentic message that breaks the provider's own form; `reason` names where and how."""

    def __init__(self, reason: str) -> None:
        """Keep `reason`, one line, for the quarantine."""
        super().__init__(reason)
        self.reason = reason
