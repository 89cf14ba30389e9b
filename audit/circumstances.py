"""Where an act comes from: trace, address, user agent, request. Follows the flow of one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

USER_AGENT_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What surrounds one act. `trace_id` (32 hex digits) joins everything one cause led to."""

    trace_id: str
    request_id: str = ""
    address: str = ""
    user_agent: str = ""
    reason: str = ""


_current: ContextVar[Circumstances | None] = ContextVar("circumstances", default=None)


def new_trace_id() -> str:
    """Return a fresh trace id, 32 hex digits."""
    return uuid4().hex


def current() -> Circumstances:
    """Return the circumstances of this call; a fresh trace where nobody set one."""
    return _current.get() or Circumstances(trace_id=new_trace_id())


def current_trace_id() -> str | None:
    """Return the trace under way, None where there is none: for logs, which begin no trace."""
    here = _current.get()
    return here.trace_id if here else None


@contextmanager
def under(**changes: str) -> Iterator[Circumstances]:
    """Run the block under the current circumstances with `changes` made to them."""
    if "user_agent" in changes:
        changes["user_agent"] = changes["user_agent"][:USER_AGENT_CHARS_MAX]
    token = _current.set(replace(current(), **changes))
    try:
        yield current()
    finally:
        _current.reset(token)
