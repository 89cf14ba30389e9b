"""What a story is made of: deliveries in order, and how the books must stand when it ends."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from integrations.providers.stripe.signature import HEADER, signature_header
from transactions.meanings import DisputeState, MovementKind, PaymentState, PayoutState

Json: TypeAlias = dict[str, Any]

STALE_SECONDS: Final = 301


class Seal(StrEnum):
    """How a delivery is signed."""

    GOOD = "good"
    WRONG = "wrong secret"
    MISSING = "no signature"
    STALE = "signed too long ago"


class Fate(StrEnum):
    """What must become of an event in the inbox."""

    PROCESSED = "processed"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST of a provider. `objects` is what Stripe's API knows when it is sent."""

    event_id: str
    event_type: str
    body: bytes
    sent_at: int
    objects: tuple[Json, ...] = ()
    seal: Seal = Seal.GOOD

    @property
    def is_refused(self) -> bool:
        """Say whether this must be turned away at the door."""
        return self.seal is not Seal.GOOD

    def headers(self, *, secret: str) -> dict[str, str]:
        """Return the headers this is sent with, signed as its seal says."""
        headers = {"Content-Type": "application/json"}
        if self.seal is Seal.MISSING:
            return headers
        at = self.sent_at - STALE_SECONDS if self.seal is Seal.STALE else self.sent_at
        used = f"{secret}-forged" if self.seal is Seal.WRONG else secret
        return headers | {HEADER: signature_header(self.body, at=at, secret=used)}

    def sealed(self, seal: Seal) -> "Delivery":
        """Return this delivery with another seal."""
        return replace(self, seal=seal)


def event_id_of(body: bytes) -> str:
    """Return the name under which the inbox keeps an authentic body that it cannot read."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One journal that must be in the books, once. `is_suspended` where its book is unknown."""

    origin: str
    kind: MovementKind
    amount_minor: int
    fee_minor: int
    currency: str
    is_suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How everything must stand once the inbox is drained, in whatever order it was told."""

    booked: tuple[Booked, ...] = ()
    payments: Mapping[str, tuple[PaymentState, int]] = field(default_factory=dict)
    disputes: Mapping[str, DisputeState] = field(default_factory=dict)
    payouts: Mapping[str, PayoutState] = field(default_factory=dict)
    fates: Mapping[str, Fate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One story, ready to be told."""

    name: str
    title: str
    deliveries: tuple[Delivery, ...]
    ending: Ending
