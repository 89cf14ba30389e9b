"""What finance proposes and a second person decides on, as values. Pure: no Django."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

REASON_CHARACTERS_MAX = 300
EVIDENCE_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 80
ALIAS_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line somebody proposes: what arrives in an account (> 0) or leaves it (< 0)."""

    account_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualJournal:
    """One journal by hand. `id` is drawn by the form, so that sending it twice is one proposal.

    `evidence` says where what it rests on is kept: a ticket, a file's name, an address.
    """

    id: UUID
    book_id: UUID
    moves: Sequence[Move]
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A suspense item, or a part of it, for the account it was meant for. `id` as above."""

    id: UUID
    posting_id: UUID
    account_id: UUID
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Money of one account into another's currency: both amounts, and the rate as it was quoted.

    `rate` is decimal text: units of the bought currency for one of the sold. `id` as above.
    """

    id: UUID
    source_id: UUID
    destination_id: UUID
    sold_minor: int
    bought_minor: int
    rate: str
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An account to be opened, of a customer or, without one, the partner's own. `id` as above.

    `alias` is what others may pay it by, of any partner's accounts and for good.
    """

    id: UUID
    portfolio_id: UUID
    customer_id: UUID | None
    name: str
    currency: str
    alias: str
    reason: str
