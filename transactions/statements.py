"""What a statement of an account says, whatever it is printed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.errors import Fault
from transactions.states import Clock

LINES_MAX: Final = 10_000


class DoesNotAddUp(Fault):
    """A statement's opening and lines do not lead to its closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` up to, and without, `until`, by one clock."""

    since: datetime
    until: datetime
    clock: Clock

    @property
    def last_instant(self) -> datetime:
        """Return the last instant that is in it."""
        return self.until - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One posting, and how the account stood after it within this statement's order."""

    posting_id: UUID
    journal_id: UUID
    purpose: str
    subject_ref: str
    occurred_at: datetime
    recorded_at: datetime
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account over a period: how it stood before, what moved, and how it stood after.

    `is_final` says that it will read the same for ever: by the recorded clock, once
    nothing can be written down before its end any more.
    """

    account_id: UUID
    code: str
    currency: str
    period: Period
    opening_minor: int
    closing_minor: int
    lines: Sequence[StatementLine]
    is_final: bool

    def __post_init__(self) -> None:
        """Refuse to exist where the sums are off: a wrong statement is worse than none."""
        moved = sum(line.amount_minor for line in self.lines)
        if self.opening_minor + moved != self.closing_minor:
            raise DoesNotAddUp(f"{self.account_id} {self.period}")

    @property
    def in_minor(self) -> int:
        """Return what arrived in all."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor > 0)

    @property
    def out_minor(self) -> int:
        """Return what left in all, below zero."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor < 0)
