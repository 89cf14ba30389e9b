"""What a door hands to a command that moves money: one instruction, checked for form. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from transactions.money import Money
from transactions.states import TransferKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Whom a payout is for. Never printed: it goes straight into the vault."""

    name: str = field(repr=False)
    iban: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPayee:
    """Whom a payout is for, in the vault already: the tokens of name and IBAN."""

    name_id: UUID
    iban_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOrder:
    """One instruction to set `money` of `source_id` aside until `expires_at`.

    Captures go to `destination_id`, or where that is None, to an account that each names.
    """

    source_id: UUID
    money: Money
    expires_at: datetime
    destination_id: UUID | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOrder:
    """One instruction to move `money` out of `source_id`.

    To `destination_id` (an account of the same book) where that is set: an
    internal transfer, posted at once. To `payee` otherwise: a payout.
    """

    source_id: UUID
    money: Money
    destination_id: UUID | None = None
    payee: Payee | KnownPayee | None = None
    reference: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Insist on exactly one destination; the doors say it more kindly."""
        if (self.destination_id is None) is (self.payee is None):
            raise ValueError("an order has either a destination account or a payee")

    @property
    def kind(self) -> TransferKind:
        """Return what kind of transfer it asks for."""
        return TransferKind.PAYOUT if self.payee else TransferKind.INTERNAL
