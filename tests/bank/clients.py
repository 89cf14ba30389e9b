"""The bank's clients: threads that never tire, each with its own dice."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tests.bank import operations
from tests.bank.history import MOVING, Answer, Asked, Event, History, Kind, Phase
from tests.bank.operations import Operation, Unsure, WayIn, Worker
from tests.bank.world import CURRENCIES, World

AMOUNT_MINOR_MAX: Final = 5
PAUSE_SECONDS: Final = 0.02
RESOLVE_SECONDS_MAX: Final = 60.0
KEPT_MAX: Final = 2_000
# Out of a hundred. Two-phase: reserve, then call it off or book one that waits as paid.
MIX: Final = {"move": 55, "two_phase": 10, "give_back": 5, "read": 20, "resend": 10}


@dataclass
class Shared:
    """What all clients of a run share."""

    world: World
    history: History
    is_over: threading.Event = field(default_factory=threading.Event)
    broken: list[BaseException] = field(default_factory=list)


@dataclass
class Client:
    """One client, driven by a seed; with a worker, it also pays out what it reserves."""

    number: int
    seed: int
    way: WayIn
    shared: Shared
    mix: Mapping[str, int] = field(default_factory=lambda: MIX)
    kept: list[Operation] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    asked: int = 0

    def run(self) -> None:
        """Do one thing after the other until it is over; keep what broke for all to see."""
        self.dice = random.Random(f"{self.seed}:{self.number}")  # noqa: S311 - replayable
        try:
            while not self.shared.is_over.is_set():
                self._acts()[self._roll()]()
        except BaseException as error:  # noqa: BLE001 - shown by the run, whatever it is
            self.shared.broken.append(error)
        finally:
            self.way.door.leave()

    def _roll(self) -> str:
        return self.dice.choices(list(self.mix), weights=list(self.mix.values()))[0]

    def _acts(self) -> dict[str, Callable[[], object]]:
        return {
            "move": self._move,
            "two_phase": self._two_phase,
            "give_back": self._give_back,
            "read": lambda: self.carry_out(operations.read(self._name())),
            "resend": self._resend,
        }

    def _move(self) -> None:
        self._keep(operations.move(self._name(), self._order(Kind.TRANSFER)))

    def _two_phase(self) -> None:
        """Reserve; then call that off, or pay out whichever has waited longest."""
        _, answer = self._keep(operations.move(self._name(), self._order(Kind.RESERVE)))
        if self.dice.random() < 0.5:
            if answer.transfer:
                self.carry_out(operations.cancel(self._name(), transfer=answer.transfer))
        elif self.way.worker:
            self._pay_out(self.way.worker)

    def _pay_out(self, worker: Worker) -> None:
        if claimed := worker.claim():
            operation = operations.settle(self._name(), transfer=claimed, worker=worker)
            phase, _ = self.carry_out(operation)
            self.settled += [claimed] if phase is Phase.DONE else []

    def _give_back(self) -> None:
        if self.settled and (worker := self.way.worker):
            transfer = self.settled.pop(self.dice.randrange(len(self.settled)))
            self.carry_out(operations.give_back(self._name(), transfer=transfer, worker=worker))

    def _resend(self) -> None:
        """Send an earlier key again; every second time with another amount."""
        if self.kept:
            first = self.dice.choice(self.kept)
            order = first.asked
            if self.dice.random() < 0.5:
                order = replace(order, amount_minor=order.amount_minor + 1)
            self.carry_out(operations.resend(self._name(), first, order=order))

    def _order(self, kind: Kind) -> Asked:
        currency = self.dice.choice(CURRENCIES)
        source, destination = self.dice.sample(self.shared.world.accounts[currency], k=2)
        return Asked(
            kind=kind,
            source=str(source.pk),
            destination=str(destination.pk) if kind is Kind.TRANSFER else "",
            amount_minor=self.dice.randint(1, AMOUNT_MINOR_MAX),
            currency=currency,
        )

    def _keep(self, operation: Operation) -> tuple[Phase, Answer]:
        """Carry an operation out and keep its key for later."""
        found = self.carry_out(operation)
        if len(self.kept) < KEPT_MAX:
            self.kept.append(operation)
        return found

    def carry_out(self, operation: Operation) -> tuple[Phase, Answer]:
        """Try under the same key until there is an answer, and take everything down.

        An answer is taken down after the door has returned, which is after the commit.
        """
        self._note(operation, Phase.ASKED)
        end = time.monotonic() + RESOLVE_SECONDS_MAX
        while True:
            try:
                phase, answer = operation.attempt(self.way.door)
            except Unsure:
                self._note(operation, Phase.UNSURE)
                if time.monotonic() > end:
                    return Phase.UNSURE, Answer()
                time.sleep(PAUSE_SECONDS)
            else:
                self._note(operation, phase, answer=answer)
                return phase, answer

    def _note(self, operation: Operation, phase: Phase, *, answer: Answer | None = None) -> None:
        self.shared.history.add(
            Event(
                operation=operation.name,
                phase=phase,
                at=time.monotonic(),
                asked=operation.asked,
                answer=answer or Answer(),
            )
        )

    def _name(self) -> str:
        self.asked += 1
        return f"c{self.number}-{self.asked}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much there was of what a run needs to mean anything."""

    acked: int
    reads: int
    in_doubt: int
    known_after_doubt: int
    resent: int
    silence_seconds: float


def tally(history: History) -> Tally:
    """Count."""
    stories = list(history.stories())
    moving = [story for story in stories if story.asked.kind in MOVING]
    doubted = [story for story in moving if story.was_unsure]
    return Tally(
        acked=sum(story.is_done for story in moving),
        reads=sum(story.is_done for story in stories if story.asked.kind is Kind.READ),
        in_doubt=len(doubted),
        known_after_doubt=sum(story.is_done and story.answer.is_known for story in doubted),
        resent=sum(story.asked.kind is Kind.RESEND for story in stories),
        silence_seconds=history.longest_silence_seconds(),
    )
