"""What the simulated world of payouts is made of: a clock, and a house with its cases.

The rules are the real ones (`Transfer.advance`, `Hold.close`, what news is let through);
database, broker and worker are small and in memory.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from accounts.states import ApprovalState
from transactions.errors import NothingChanged
from transactions.models import Hold, Transfer
from transactions.services import payouts
from transactions.states import FINAL_STATES, HoldState, TransferKind, TransferState

S = TransferState
OPENING_MINOR: Final = 1_000
THRESHOLD_MINOR: Final = 150
PAYOUTS: Final = 6
STORM_SECONDS: Final = 120.0
END_SECONDS: Final = 360.0
WINDOW_SECONDS: Final = 60.0
ASK_SECONDS: Final = 15.0
OPEN: Final = frozenset({S.DISPATCHED, S.UNKNOWN})
HELD: Final = frozenset({S.AWAITING_APPROVAL, S.ACCEPTED, *OPEN})
LEFT: Final = frozenset({S.SETTLED, S.RETURNED})
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Broken(AssertionError):
    """The world came into a state that must not be."""


@dataclass
class Clock:
    """Time that only moves when the next thing happens, and the line of what is to happen."""

    now: float = 0.0
    line: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    count: int = 0

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Let something happen after so many seconds."""
        self.count += 1
        heapq.heappush(self.line, (self.now + seconds, self.count, what))

    def run(self) -> Iterator[float]:
        """Let one thing after the other happen; yield after each."""
        while self.line and self.line[0][0] <= END_SECONDS:
            self.now, _, what = heapq.heappop(self.line)
            what()
            yield self.now


@dataclass
class Case:
    """One payout with its reservation, its second signature, and when to ask after it."""

    transfer: Transfer
    hold: Hold
    maker: str
    approval: ApprovalState | None = None
    checker: str = ""
    claimed_at: float = 0.0
    ask_at: float | None = None

    @property
    def state(self) -> TransferState:
        """Return where it stands."""
        return S(self.transfer.state)


class House:
    """Our books and commands. A command happens whole, or is refused and nothing happened."""

    def __init__(self) -> None:
        """Open with some money."""
        self.posted, self.pending = OPENING_MINOR, 0
        self.cases: dict[str, Case] = {}

    def request(self, name: str, *, amount_minor: int, maker: str) -> None:
        """Reserve a payout's money; from the threshold on it waits for a second person."""
        if name in self.cases or self.posted - self.pending < amount_minor:
            return
        number = len(self.cases) + 1
        transfer = Transfer(
            id=UUID(int=number),
            kind=TransferKind.PAYOUT,
            state=S.ACCEPTED,
            amount_minor=amount_minor,
            currency="EUR",
            provider_ref="",
        )
        hold = Hold(id=UUID(int=number), amount_minor=amount_minor)
        case = self.cases[name] = Case(transfer, hold, maker)
        if amount_minor >= THRESHOLD_MINOR:
            transfer.state, case.approval = S.AWAITING_APPROVAL, ApprovalState.OPEN
        self.pending += amount_minor

    def decide(self, name: str, *, checker: str, is_yes: bool) -> None:
        """Decide once, and never what one asked for oneself."""
        case = self.cases.get(name)
        if case and case.approval is ApprovalState.OPEN and checker != case.maker:
            case.checker = checker
            case.approval = ApprovalState.APPROVED if is_yes else ApprovalState.REJECTED

    def carry_out(self, case: Case) -> None:
        """Do what was decided."""
        if case.approval is ApprovalState.APPROVED:
            case.transfer.advance(S.ACCEPTED)
            case.approval = ApprovalState.USED
        elif case.approval is ApprovalState.REJECTED:
            self._free(case, S.REJECTED)

    def cancel(self, name: str) -> None:
        """Call a payout off, if it has not been sent."""
        if case := self.cases.get(name):
            self._free(case, S.CANCELLED)
            if case.approval is ApprovalState.OPEN:
                case.approval = ApprovalState.WITHDRAWN

    def claim(self, now: float) -> str:
        """Claim the oldest accepted payout, '' where none waits."""
        for name, case in self.cases.items():
            if case.state is S.ACCEPTED:
                case.transfer.advance(S.DISPATCHED)
                case.claimed_at, case.ask_at = now, now + ASK_SECONDS
                return name
        return ""

    def hear(self, name: str, news: TransferState, *, ref: str) -> None:
        """Take news of a payout, by the rule of what news is let through."""
        case = self.cases[name]
        transfer, later = case.transfer, S.RETURNED if news is S.SETTLED else None
        payouts.expect(transfer, news, later=later, ref=ref)
        if news is S.FAILED:
            self._free(case, S.FAILED)
        else:
            transfer.advance(news, at=EPOCH)
            is_paid = news is S.SETTLED
            if is_paid:
                case.hold.capture(transfer.amount_minor)
                self.pending -= transfer.amount_minor
            self.posted += -transfer.amount_minor if is_paid else transfer.amount_minor
        transfer.provider_ref = transfer.provider_ref or ref
        case.ask_at = None

    def doubt(self, name: str, now: float) -> None:
        """Note that nobody knows; it will be asked after."""
        case = self.cases[name]
        if case.state not in OPEN:
            raise NothingChanged(ref=name)
        case.transfer.state, case.ask_at = S.UNKNOWN, now + ASK_SECONDS

    def _free(self, case: Case, to: TransferState) -> None:
        case.transfer.advance(to)
        case.hold.release(HoldState.VOIDED)
        self.pending -= case.transfer.amount_minor

    def standing(self) -> tuple[object, ...]:
        """Return all that a check looks at."""
        each = [(c.transfer.state, c.hold.state, c.approval) for c in self.cases.values()]
        return self.posted, self.pending, *each

    def check(self, moved: Counter[str]) -> None:
        """Raise Broken unless money, reservations, signatures and the bank's deeds agree."""
        held = sum(c.transfer.amount_minor for c in self.cases.values() if c.state in HELD)
        gone = sum(c.transfer.amount_minor for c in self.cases.values() if c.state is S.SETTLED)
        if (self.posted, self.pending) != (OPENING_MINOR - gone, held):
            raise Broken(f"holds {self.posted}, reserved {self.pending}: not {gone=} {held=}")
        for name, case in self.cases.items():
            if (case.hold.state == HoldState.OPEN) is not (case.state in HELD):
                raise Broken(f"{name} is {case.state}, its hold is {case.hold.state}")
            if moved[name] > 1 or (case.state in LEFT and not moved[name]):
                raise Broken(f"{name} is {case.state}, the bank paid {moved[name]} times")
            if case.state in FINAL_STATES - LEFT and moved[name]:
                raise Broken(f"{name} is {case.state}, and the bank has paid it")
            is_signed = case.approval is ApprovalState.USED and case.checker != case.maker
            if case.approval and case.state in OPEN | LEFT and not is_signed:
                raise Broken(f"{name} left with its approval {case.approval}")
