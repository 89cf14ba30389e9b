"""What is still to come, the dice, and what every account holds on the way."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Final, TypeAlias
from uuid import UUID

from transactions.meanings import Meaning
from transactions.services.imports import PastTransfer

MEDIAN_MINOR: Final = 6_500
SPREAD: Final = 0.95

Event: TypeAlias = PastTransfer | Meaning
Act: TypeAlias = "Callable[[Calendar, datetime], Iterator[Event]]"


@dataclass(slots=True, kw_only=True)
class Stand:
    """One account as the past knows it: whose, and what it holds so far."""

    account_id: UUID
    firm: str
    currency: str
    held_minor: int
    is_customer: bool


class Calendar:
    """Acts in order of time. An act may put later ones in; none lies after `now`."""

    def __init__(self, *, stands: Sequence[Stand], now: datetime, seed: str) -> None:
        """Open an empty calendar. The dice decide amounts, not secrets."""
        self.stands, self.now = stands, now
        self.dice = Random(seed)  # noqa: S311
        self.at_provider: dict[str, int] = {}
        self._numbers = count(1)
        self._turns: Counter[str] = Counter()
        self._due: list[tuple[datetime, int, Act]] = []

    def later(self, at: datetime, act: Act) -> None:
        """Put an act in."""
        heapq.heappush(self._due, (at, self.number(), act))

    def until(self, end: datetime) -> Iterator[Event]:
        """Let everything happen that is due before `end`, and before now."""
        while self._due and self._due[0][0] < min(end, self.now):
            at, _, act = heapq.heappop(self._due)
            yield from act(self, at)

    def number(self) -> int:
        """Return the next number, never the same twice."""
        return next(self._numbers)

    def ref(self, prefix: str) -> str:
        """Return a fresh id such as a provider makes."""
        return f"{prefix}_3World{self.dice.getrandbits(80):020x}"

    def amount(self) -> int:
        """Draw an amount in minor units: many small ones, a few large."""
        return round(MEDIAN_MINOR * math.exp(self.dice.gauss(0, SPREAD)))

    def happens(self, share: float) -> bool:
        """Draw whether something happens that does in `share` of all cases."""
        return self.dice.random() < share

    def takes_turn(self, what: str, *, of: int) -> bool:
        """Say yes to the first and every `of`-th case of something rare that no past may lack."""
        self._turns[what] += 1
        return self._turns[what] % of == 1
