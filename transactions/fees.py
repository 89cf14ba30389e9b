"""What we charge for a transfer: terms as values, whole minor units, one rounding. Pure.

The part in basis points is rounded half to even, as banks do: 0.5 goes to 0, 1.5 to 2, so that
many small fees do not drift. It is done on integers; nothing is ever a float or a Decimal.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

BPS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTerms:
    """A flat part and a part of the amount, together at least `minimum_minor`, at most the cap.

    `cap_minor` is None where there is none.
    """

    flat_minor: int = 0
    bps: int = 0
    minimum_minor: int = 0
    cap_minor: int | None = None

    def on(self, amount_minor: int, /) -> int:
        """Return the fee on an amount: flat plus part, then the minimum, then the cap."""
        fee = max(self.flat_minor + part_of(amount_minor, bps=self.bps), self.minimum_minor)
        return fee if self.cap_minor is None else min(fee, self.cap_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRate:
    """The terms in force for one kind of transfer: which rule says so, and where the fee goes."""

    rule_id: UUID
    account_id: UUID
    terms: FeeTerms


def part_of(amount_minor: int, /, *, bps: int) -> int:
    """Return `bps` hundredths of a per cent of an amount, rounded half to even."""
    whole, rest = divmod(amount_minor * bps, BPS)
    is_up = 2 * rest > BPS or (2 * rest == BPS and whole % 2 == 1)
    return whole + is_up
