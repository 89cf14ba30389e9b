"""Process groups as the kernel sees them. Every part leads a group of its own."""

import os
import time
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Final

POLL_SECONDS: Final = 0.05
PROC: Final = Path("/proc")
# Fields of /proc/<pid>/stat behind the command's name, which may hold anything.
STATE_FIELD, GROUP_FIELD, STARTED_FIELD = 0, 2, 19


def _fields(pid: int | str) -> list[str]:
    """Return the kernel's line about a process, from its state on; empty if there is none."""
    try:
        line = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return line.rpartition(")")[2].split()


def is_alive(group: int) -> bool:
    """Say whether anything of a group still runs; the dead who are not yet buried do not count."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _fields(entry.name)):
            is_running = fields[STATE_FIELD] not in "ZX"
            if is_running and int(fields[GROUP_FIELD]) == group:
                return True
    return False


def started_at(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None if there is no such process."""
    fields = _fields(pid)
    return fields[STARTED_FIELD] if fields else None


def boot() -> str:
    """Return this boot's name: process ids mean nothing in another one."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def send(group: int, *, what: Signals) -> None:
    """Send a signal to a whole group, if there still is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, what)


def wait_until_gone(groups: set[int], *, seconds: float) -> set[int]:
    """Wait for groups to end; return those that did not within the time."""
    deadline = time.monotonic() + seconds
    left = {group for group in groups if is_alive(group)}
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = {group for group in left if is_alive(group)}
    return left


def end(groups: set[int], *, seconds: float) -> None:
    """Wait for groups that were asked to end, then end them."""
    for group in wait_until_gone(groups, seconds=seconds):
        send(group, what=SIGKILL)
