"""One program that runs under the supervisor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from signal import SIGTERM, Signals

READY_SECONDS_MAX = 60.0


def at_once(_pid: int) -> bool:
    """Say that a program is ready as soon as it runs."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What to run, with which environment, how to see that it is ready and how to end it."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: Signals = SIGTERM
    is_ready: Callable[[int], bool] = at_once
    port: int | None = None
