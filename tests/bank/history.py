"""What the clients of the bank asked and heard, kept outside its database. Pure."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise


class Kind(StrEnum):
    """What a client can do."""

    TRANSFER = "transfer"
    RESERVE = "reserve"
    CANCEL = "cancel"
    SETTLE = "settle"
    RETURN = "return"
    READ = "read"
    RESEND = "resend"


MOVING = frozenset({Kind.TRANSFER, Kind.RESERVE, Kind.CANCEL, Kind.SETTLE, Kind.RETURN})


class Phase(StrEnum):
    """Where one operation stands. `UNSURE`: it was sent, and no answer came."""

    ASKED = "asked"
    UNSURE = "unsure"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for: accounts by name, a transfer by its id, an operation by its name."""

    kind: Kind
    source: str = ""
    destination: str = ""
    amount_minor: int = 0
    currency: str = ""
    transfer: str = ""
    again: str = ""
    is_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `is_known`: it had been done before we asked this time."""

    transfer: str = ""
    code: str = ""
    is_known: bool = False
    totals: tuple[tuple[str, int], ...] = ()
    least_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history, at a monotonic second."""

    operation: str
    phase: Phase
    at: float
    asked: Asked
    answer: Answer = field(default_factory=Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that was heard of one operation."""

    operation: str
    asked: Asked
    phase: Phase
    answer: Answer
    was_unsure: bool

    @property
    def is_done(self) -> bool:
        """Say whether it was acknowledged, at once or when it was asked again."""
        return self.phase is Phase.DONE


class History:
    """Takes down events of many threads in the order in which they come."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Start with `events`."""
        self.events = list(events)
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Take one event down."""
        with self._lock:
            self.events.append(event)

    def stories(self) -> Iterator[Story]:
        """Yield every operation with the last that was heard of it."""
        found: dict[str, Story] = {}
        for event in self.events:
            story = Story(
                operation=event.operation,
                asked=event.asked,
                phase=event.phase,
                answer=event.answer,
                was_unsure=event.phase is Phase.UNSURE,
            )
            if before := found.get(event.operation):
                story = replace(story, was_unsure=before.was_unsure or story.was_unsure)
            found[event.operation] = story
        yield from found.values()

    def longest_silence_seconds(self) -> float:
        """Return the longest time between two acknowledgements of operations that move money."""
        heard = [e.at for e in self.events if e.phase is Phase.DONE and e.asked.kind in MOVING]
        return max((b - a for a, b in pairwise(heard)), default=float("inf"))
