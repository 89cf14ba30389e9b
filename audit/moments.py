"""What happened, as a timeline and a trace show it: moments, and what each led to. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from audit.canonical import Json


class Kind(StrEnum):
    """Where a moment is written down."""

    CALLBACK = "callback"
    CALL = "call"
    ENTRY = "entry"
    VERSION = "version"
    JOURNAL = "journal"
    LETTER = "letter"

    @property
    def is_cause(self) -> bool:
        """Say whether it came from outside and led to what is on record."""
        return self in (Kind.CALLBACK, Kind.CALL)

    @property
    def is_effect(self) -> bool:
        """Say whether it is what an act left behind, in the act's own transaction."""
        return self in (Kind.VERSION, Kind.JOURNAL, Kind.LETTER)


class Tone(StrEnum):
    """How a state or a moment should strike the eye. The words say the same."""

    PLAIN = "plain"
    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one row, before and after. `before` is None where the row was new."""

    field: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one act changed in one row."""

    table: str
    row: str
    is_new: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened.

    `ref` is its own reference, `about` what it speaks of. Moments of one transaction share
    `xact`; `cause` is the reference of the callback that an act was credited to. `is_repeat`
    marks what a provider said again and was known.
    """

    at: datetime
    kind: Kind
    ref: str
    title: str
    about: str = ""
    who: str = ""
    said: str = ""
    tone: Tone = Tone.PLAIN
    differences: tuple[Difference, ...] = ()
    xact: int | None = None
    cause: str = ""
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One moment with what it left behind, in order of time."""

    moment: Moment
    effects: tuple[Moment, ...] = field(default=())


def steps(moments: Sequence[Moment]) -> list[Step]:
    """Hang journals, letters and versions on the entry of their transaction; oldest first.

    An effect whose entry is not there stands by itself: nothing is left out.
    """
    in_order = sorted(moments, key=lambda moment: (moment.at, moment.ref))
    acts: dict[int | None, list[Moment]] = {}
    for moment in in_order:
        if moment.kind is Kind.ENTRY and moment.xact is not None:
            acts.setdefault(moment.xact, []).append(moment)
    hanging: dict[str, list[Moment]] = {}
    standing: list[Moment] = []
    for moment in in_order:
        beside = acts.get(moment.xact, []) if moment.kind.is_effect else []
        if beside:
            hanging.setdefault(_head(moment, acts=beside).ref, []).append(moment)
        else:
            standing.append(moment)
    return [Step(moment=m, effects=tuple(hanging.get(m.ref, ()))) for m in standing]


def _head(effect: Moment, *, acts: Sequence[Moment]) -> Moment:
    """Return which of one transaction's acts had an effect: the last that fits best.

    Many act in one transaction where news comes in batches: an act that changed what the effect
    is about fits better than one that changed something else, and that than one that was refused.
    """
    return max(reversed(acts), key=lambda act: _fit(act, effect=effect))


def _fit(act: Moment, *, effect: Moment) -> int:
    row = effect.about.rpartition(":")[2]
    touches = {difference.row for difference in act.differences}
    is_about = bool(row) and (row in touches or act.about == effect.about)
    return 2 * is_about + bool(touches)


def without_repeats(moments: Sequence[Moment]) -> list[Moment]:
    """Put all that one callback repeated into the first of its repeats; leave the rest alone."""
    counts = Counter(moment.cause for moment in moments if moment.is_repeat)
    kept: list[Moment] = []
    for moment in sorted(moments, key=lambda moment: (moment.at, moment.ref)):
        if not moment.is_repeat:
            kept.append(moment)
        elif times := counts.pop(moment.cause, 0):
            said = "Known before" if times == 1 else f"{times} things, all known before"
            kept.append(replace(moment, title="Nothing new", said=said))
    return kept
