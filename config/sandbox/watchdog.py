"""A process that ends what is left over when the supervisor is killed outright.

Every part has a leash, but a leash reaches only the part itself, not what that has started.
"""

import os
import signal
from typing import Final, NoReturn, TextIO

from config.sandbox.groups import end

DESCRIPTORS_MAX: Final = 4096
GRACE_SECONDS: Final = 5.0  # the leashes have already asked politely


class Watchdog:
    """The supervisor's end of the watchdog, which hears what runs, and when nobody speaks."""

    def __init__(self) -> None:
        """Fork the watchdog. Only before any thread is started."""
        reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _watch_for_ever(reader)
        os.close(reader)
        self._ear: TextIO = os.fdopen(writer, "w", buffering=1)

    def began(self, group: int) -> None:
        """Tell that a group of processes runs."""
        self._ear.write(f"+{group}\n")

    def ended(self, group: int) -> None:
        """Tell that a group is gone."""
        self._ear.write(f"-{group}\n")

    def dismiss(self) -> None:
        """Let the watchdog go, and see it off."""
        self._ear.close()
        os.waitpid(self._pid, 0)


def _watch_for_ever(reader: int) -> NoReturn:
    """Be the watchdog: what a terminal or a polite `kill` says is not for us."""
    try:
        os.setsid()
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, signal.SIG_IGN)
        _let_go(besides=reader)
        _watch(reader)
    finally:
        os._exit(0)  # never back into the supervisor's code


def _let_go(*, besides: int) -> None:
    """Close what the supervisor had open: its output, its lock and its own end of the pipe.

    Whoever reads the output sees the end of it, and the next run gets the lock at once.
    """
    os.closerange(3, besides)
    os.closerange(besides + 1, DESCRIPTORS_MAX)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _watch(reader: int) -> None:
    """Follow the lines until the supervisor is gone, then end what it left behind."""
    live: set[int] = set()
    with os.fdopen(reader) as lines:
        for line in lines:
            (live.add if line[0] == "+" else live.discard)(int(line[1:]))
    end(live, seconds=GRACE_SECONDS)
