"""What providers report, message by message, and what comes of each thing they say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.errors import Refusal
from transactions.errors import AlreadyBooked, NothingChanged
from transactions.meanings import Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one message of a provider means, in the order to apply it, and which message it was."""

    credential: str
    trace_id: str
    meanings: Sequence[Meaning]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one meaning of a report: what was done in a word or two, or why it was not."""

    credential: str
    trace_id: str
    said: str
    refusal: Refusal | None = None

    @property
    def is_over(self) -> bool:
        """Say whether the report ends here: refused, and not for being known already."""
        return not isinstance(self.refusal, AlreadyBooked | NothingChanged | None)
