"""Limits as they stand under their locks: what is left of each, and what to count. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from audit.errors import Fault
from audit.typeids import typeid
from transactions.errors import LimitExceeded
from transactions.states import LimitKind, LimitScope, LimitWindow

AMOUNT: Final = "amount"
COUNT: Final = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a command is about to spend at most: whence, of which kinds, how much, how often."""

    account_ids: frozenset[UUID]
    kinds: frozenset[LimitKind]
    amount_minor: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Where use is counted: for an account or, without one, for all of a book; `day` is UTC's."""

    account_id: UUID | None
    book_id: UUID
    currency: str
    kind: LimitKind
    day: date
    slice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What left an account once, as one tally takes it."""

    tally: Tally
    account_id: UUID
    amount_minor: int


@dataclass(slots=True, kw_only=True)
class Cap:
    """One limit and what is used of it: of one account's or, without `account_id`, a partner's."""

    limit_id: UUID
    account_id: UUID | None
    kind: LimitKind
    window: LimitWindow
    amount_max_minor: int | None
    count_max: int | None
    amount_used_minor: int = 0
    count_used: int = 0

    @property
    def scope(self) -> LimitScope:
        """Return whose use is counted."""
        return LimitScope.PARTNER if self.account_id is None else LimitScope.ACCOUNT

    @property
    def amount_left_minor(self) -> int | None:
        """Return how much may still leave, None where no amount is limited."""
        return _left(self.amount_max_minor, used=self.amount_used_minor)

    @property
    def count_left(self) -> int | None:
        """Return how often something may still leave, None where that is not limited."""
        return _left(self.count_max, used=self.count_used)

    def covers(self, kind: LimitKind) -> bool:
        """Say whether it is about what leaves as `kind`."""
        return self.kind in (LimitKind.ANY, kind)

    def check(self, amount_minor: int, *, kind: LimitKind, account_id: UUID) -> None:
        """Refuse with LimitExceeded what would pass it."""
        if not self.covers(kind):
            return
        for measure, most, used, wanted in (
            (AMOUNT, self.amount_max_minor, self.amount_used_minor, amount_minor),
            (COUNT, self.count_max, self.count_used, 1),
        ):
            if most is not None and used + wanted > most:
                raise LimitExceeded(
                    account=typeid("acc", account_id),
                    limit=typeid("lim", self.limit_id),
                    scope=self.scope.value,
                    what=self.kind.value,
                    window=self.window.value,
                    measure=measure,
                    most=most,
                    left=max(0, most - used),
                )

    def use(self, amount_minor: int, *, kind: LimitKind) -> None:
        """Count what leaves, if it is about that and its window outlasts it."""
        if self.covers(kind) and self.window is not LimitWindow.TRANSFER:
            self.amount_used_minor += amount_minor
            self.count_used += 1


def cap_as_told(told: Mapping[str, Any]) -> Cap:
    """Return one limit as the database's `limits_told` tells it."""
    return Cap(
        limit_id=UUID(told["id"]),
        account_id=UUID(told["account_id"]) if told["account_id"] else None,
        kind=LimitKind(told["kind"]),
        window=LimitWindow(told["window"]),
        amount_max_minor=told["amount_max_minor"],
        count_max=told["count_max"],
        amount_used_minor=told["amount_used_minor"],
        count_used=told["count_used"],
    )


def decided_again(told: Mapping[str, Any], *, uses: Iterable[Use]) -> LimitExceeded:
    """Return the no that is due to those who decided on an old reading of a limit.

    `told` is the limit that they would pass, as the database tells it with all of their uses
    counted: without them it stands as they should have found it.
    """
    cap = cap_as_told(told)
    whose = (told["account_id"], told["book_id"], told["currency"])
    theirs = [use for use in uses if _whose(use.tally) == whose and cap.covers(use.tally.kind)]
    cap.amount_used_minor -= sum(use.amount_minor for use in theirs)
    cap.count_used -= len(theirs)
    try:
        for use in theirs:
            cap.check(use.amount_minor, kind=use.tally.kind, account_id=use.account_id)
            cap.use(use.amount_minor, kind=use.tally.kind)
    except LimitExceeded as refusal:
        return refusal
    raise Fault(f"limit {cap.limit_id} was passed by nobody")


def _whose(tally: Tally, /) -> tuple[str | None, str, str]:
    """Return where use is counted, as the database spells it."""
    account = str(tally.account_id) if tally.account_id else None
    return account, str(tally.book_id), tally.currency


def _left(most: int | None, *, used: int) -> int | None:
    return None if most is None else max(0, most - used)
