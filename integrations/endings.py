"""How tries to work off callbacks end: done with, put off, or given up. Writes nothing."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from integrations.models import Callback
from integrations.states import CallbackState

ATTEMPTS_MAX: Final = 8
FIRST_DELAY_SECONDS: Final = 2
DETAIL_CHARS_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a try to work off a callback ended; with `due_at` it is to be tried again then."""

    callback: Callback
    state: CallbackState
    detail: str
    trace_id: str
    due_at: datetime | None = None


def ended(callback: Callback, state: CallbackState, *, detail: str, trace_id: str = "") -> Ending:
    """Return that a callback is done with, and why; on its own trace unless told otherwise."""
    return Ending(
        callback=callback,
        state=state,
        detail=detail[:DETAIL_CHARS_MAX],
        trace_id=trace_id or callback.trace_id,
    )


def postponed(callback: Callback, *, reason: str) -> Ending:
    """Return that a callback is tried again, twice as late each time; quarantined at last."""
    if callback.attempts >= ATTEMPTS_MAX:
        said = f"gave up after {ATTEMPTS_MAX}: {reason}"
        return ended(callback, CallbackState.QUARANTINED, detail=said)
    seconds = FIRST_DELAY_SECONDS * 2 ** (callback.attempts - 1)
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
    return Ending(
        callback=callback,
        state=CallbackState.RECEIVED,
        detail=reason[:DETAIL_CHARS_MAX],
        trace_id=callback.trace_id,
        due_at=timezone.now() + timedelta(seconds=seconds * jitter),
    )
