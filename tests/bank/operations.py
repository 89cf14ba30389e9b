"""What a client of the bank can do: small classes over a door, each safe to try again.

A door is how clients reach the bank: the service layer, or HTTP. A worker pays out for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.bank.history import Answer, Asked, Kind, Phase


class Unsure(Exception):
    """It was sent, and nobody knows whether it was done. To be tried again under the same key."""


class Refused(Exception):
    """The bank said no, with the code that is the only argument."""


class Door(Protocol):
    """How an operation reaches the bank. Every call raises Unsure or Refused, or has been done."""

    def ask(self, order: Asked, *, key: str, reference: str) -> Answer:
        """Ask for a transfer or, without a destination, for a payout."""
        ...

    def cancel(self, transfer: str, *, key: str) -> Answer:
        """Call a payout off."""
        ...

    def read(self) -> Answer:
        """Read every balance at one instant."""
        ...

    def leave(self) -> None:
        """Close what the door holds open for this thread."""
        ...


class Worker(Protocol):
    """Who pays out. Every call but `claim` raises Unsure or Refused, or has been done."""

    def claim(self) -> str:
        """Return the payout that was claimed, '' for none."""
        ...

    def settle(self, transfer: str) -> Answer:
        """Say that a payout was paid."""
        ...

    def give_back(self, transfer: str) -> Answer:
        """Say that a payout came back."""
        ...


@dataclass(frozen=True, slots=True)
class WayIn:
    """One client's door, and the worker that pays out for it where it has one of its own."""

    door: Door
    worker: Worker | None = None


Act = Callable[[Door], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do under one name, the same however often it is tried."""

    name: str
    asked: Asked
    act: Act

    def attempt(self, door: Door) -> tuple[Phase, Answer]:
        """Try it once; Unsure where no answer came."""
        try:
            return Phase.DONE, self.act(door)
        except Refused as said:
            return Phase.REFUSED, Answer(code=str(said))


def move(name: str, order: Asked) -> Operation:
    """Move money between two accounts, or reserve it for a payout."""
    return Operation(name, order, lambda door: door.ask(order, key=name, reference=name))


def cancel(name: str, *, transfer: str) -> Operation:
    """Call a payout off."""
    asked = Asked(kind=Kind.CANCEL, transfer=transfer)
    return Operation(name, asked, lambda door: door.cancel(transfer, key=name))


def settle(name: str, *, transfer: str, worker: Worker) -> Operation:
    """Book a payout as paid."""
    asked = Asked(kind=Kind.SETTLE, transfer=transfer)
    return Operation(name, asked, lambda _: worker.settle(transfer))


def give_back(name: str, *, transfer: str, worker: Worker) -> Operation:
    """Book a payout as come back: the reversal of its journal."""
    asked = Asked(kind=Kind.RETURN, transfer=transfer)
    return Operation(name, asked, lambda _: worker.give_back(transfer))


def read(name: str) -> Operation:
    """Read every balance at one instant."""
    return Operation(name, Asked(kind=Kind.READ), lambda door: door.read())


def resend(name: str, first: Operation, *, order: Asked) -> Operation:
    """Send an earlier key again, with its own order or with another one."""
    is_changed = order != first.asked
    asked = Asked(kind=Kind.RESEND, again=first.name, is_changed=is_changed)
    return Operation(
        name, asked, lambda door: door.ask(order, key=first.name, reference=first.name)
    )
