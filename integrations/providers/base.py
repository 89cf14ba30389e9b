"""What every payment provider must offer: the answers it can give, and how we read what it sends.

Outbound: `Provider`, whose every answer is a value. Inbound: `Inbound`, one a provider, which
says whether a body is authentic and what it means. Implementations hold no state and touch no
tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from transactions.meanings import Meaning, TransferNotice

JsonObject: TypeAlias = Mapping[str, object]

# -- money out ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it and gave it a name."""

    provider_ref: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no, for good. Nothing moved."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """We sent it and did not hear back. It may have happened: ask, never resend."""

    because: str


@dataclass(frozen=True, slots=True)
class NeverHeard:
    """Asked about a payment, the provider says it has no such reference.

    Only after the provider's stated window (`Provider.resend_after_seconds`) may the same
    request be sent again, under the same key.
    """


Answer: TypeAlias = Accepted | Declined | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Whom a payment is for: the account holder's name and IBAN, as the partner gave them."""

    name: str
    iban: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """One payment as a provider is asked for it.

    `key` is our derived idempotency key, `reference` our transfer's TypeID.
    """

    key: str
    reference: str
    amount_minor: int
    currency: str
    destination: Destination = field(repr=False)


class Provider(Protocol):
    """A bank or scheme that pays out for us. Called outside every transaction."""

    @property
    def slug(self) -> str:
        """Return the provider's name in addresses and journals."""
        ...

    @property
    def resend_after_seconds(self) -> int:
        """Return after how long "no such reference" is the provider's last word on a request."""
        ...

    def pay(self, order: PaymentOrder, /) -> Answer:
        """Ask for a payment, once; the same `key` again must be the same payment."""
        ...

    def standing(self, order: PaymentOrder, /) -> TransferNotice | NeverHeard | Unknown:
        """Ask how a payment stands, whoever missed whose callback. Moves nothing."""
        ...


# -- callbacks in ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """The provider sent exactly these bytes, just now.

    `event_id` is the provider's own, or `sha256:<hex of the body>` with the type
    `unreadable` where an authentic body has no usable one: it is kept, and quarantined later.
    """

    event_id: str
    event_type: str


@dataclass(frozen=True, slots=True)
class Forged:
    """Not provably the provider's, or not from just now. `reason` is for our logs only."""

    reason: str


Verdict: TypeAlias = Genuine | Forged

UNREADABLE = "unreadable"


class NotYet(Exception):
    """The provider could not be asked, or does not know yet: try the callback again later."""

    def __init__(self, reason: str) -> None:
        """Keep `reason`, one line without secrets, for the inbox row."""
        super().__init__(reason)
        self.reason = reason


class Ignored(Exception):
    """An authentic event of a type we take no interest in: stored, and visibly ignored."""

    def __init__(self, reason: str) -> None:
        """Keep `reason`, one line, for the inbox row."""
        super().__init__(reason)
        self.reason = reason


class Lookup(Protocol):
    """How a reading of a callback asks its provider for the truth."""

    def fetch(self, *, kind: str, ref: str) -> JsonObject:
        """Return the object `ref` of `kind` as it is now; NotYet if it cannot be had."""
        ...


class Inbound(Protocol):
    """How one provider's callbacks are authenticated and understood."""

    slug: str

    def verify(
        self, *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Verdict:
        """Say whether `body` is authentic under any of `secrets`. Never raises, on any bytes."""
        ...

    def meanings(self, *, body: bytes, lookup: Lookup) -> list[Meaning]:
        """Say what an authentic `body` means, in the order to apply it.

        Raises NotUnderstood (quarantine), NotYet (try again later) or Ignored (no interest).
        """
        ...
