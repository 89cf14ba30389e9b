"""Runs parts in waves, waits until each is ready, and leaves nothing behind."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Self

from config.env import BASE_DIR
from config.sandbox.groups import boot, end, is_alive, send, started_at
from config.sandbox.leash import leashed
from config.sandbox.part import READY_SECONDS_MAX, Part
from config.sandbox.refusal import CannotRun
from config.sandbox.state import State, is_free
from config.sandbox.watchdog import Watchdog

STOP_SECONDS: Final = 8.0
POLL_SECONDS: Final = 0.05
LOG_LINES_SHOWN: Final = 15
# What a part may see of our own environment; the rest it gets by name.
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "FAILPOINT")


class Interrupted(BaseException):
    """Somebody asked us to stop, with the signal that is the only argument."""


@dataclass(slots=True)
class Child:
    """A part that was started."""

    part: Part
    process: subprocess.Popen[bytes]
    log: Path
    wave: int


@dataclass(slots=True)
class Supervisor:
    """Owns the parts of one state folder, from the first wave to the last one's end."""

    state: State
    children: list[Child] = field(default_factory=list)
    _wave: int = 0
    _watchdog: Watchdog = field(init=False)

    def __enter__(self) -> Self:
        """Clean up after a predecessor that was killed, and listen for signals."""
        sweep(self.state)
        self._watchdog = Watchdog()
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, _interrupt)
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop everything, last wave first."""
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, signal.SIG_IGN)
        for wave in range(self._wave, -1, -1):
            self._stop([child for child in self.children if child.wave == wave])
        self._watchdog.dismiss()

    def start(self, parts: Sequence[Part]) -> None:
        """Start one wave and return when all of it is ready; CannotRun says what is not."""
        self._wave += 1
        for part in parts:
            if part.port is not None and not is_free(part.port):
                raise CannotRun(f"Port {part.port} was taken before {part.name} could use it")
            self._launch(part)
        self._wait_until_ready({part.name for part in parts})

    def run(self, part: Part) -> None:
        """Run a job to its end; CannotRun shows the end of its log if it fails."""
        child = self._launch(part)
        while child.process.poll() is None:
            self._refuse_the_dead(besides=child)
            time.sleep(POLL_SECONDS)
        self._stop([child])
        if child.process.returncode:
            raise CannotRun(_obituary(child))

    def watch(self) -> None:
        """Return when somebody asks us to stop; CannotRun if a part ends by itself."""
        while True:
            self._refuse_the_dead()
            time.sleep(POLL_SECONDS * 4)

    def _launch(self, part: Part) -> Child:
        """Start one part in a session of its own, on a leash and under the watchdog's eyes."""
        log = self.state.folder("logs") / f"{part.name}.log"
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with log.open("wb") as output:
            process = subprocess.Popen(
                part.command,
                env=environment | dict(part.environment),
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=leashed(part.stop_signal),  # noqa: PLW1509 - we have no threads
            )
        self._watchdog.began(process.pid)
        child = Child(part, process, log, self._wave)
        self.children.append(child)
        self._remember()
        return child

    def _stop(self, children: Sequence[Child]) -> None:
        """End some parts together: ask each, wait for all they started, insist."""
        for child in children:
            child.process.send_signal(child.part.stop_signal)
        end({child.process.pid for child in children}, seconds=STOP_SECONDS)
        for child in children:
            child.process.wait()
            self.children.remove(child)
            self._watchdog.ended(child.process.pid)
        self._remember()

    def _wait_until_ready(self, names: set[str]) -> None:
        """Ask each of a wave until all of it is ready."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        waiting = [child for child in self.children if child.part.name in names]
        while waiting:
            self._refuse_the_dead()
            waiting = [c for c in waiting if not c.part.is_ready(c.process.pid)]
            if waiting and time.monotonic() > deadline:
                raise CannotRun(f"not ready in time: {_obituary(waiting[0])}")
            if waiting:
                time.sleep(POLL_SECONDS)

    def _refuse_the_dead(self, *, besides: Child | None = None) -> None:
        """Give up when a part has ended by itself."""
        for child in self.children:
            if child is not besides and child.process.poll() is not None:
                raise CannotRun(_obituary(child))

    def _remember(self) -> None:
        """Write down what runs, for the next run to clean up if we are killed."""
        running = {
            child.part.name: {"pid": child.process.pid, "started": started_at(child.process.pid)}
            for child in self.children
        }
        self.state.write_json("pids.json", {"boot": boot(), "ours": os.getpid(), "parts": running})


def sweep(state: State) -> None:
    """End what a killed supervisor left running in this folder."""
    left: Mapping[str, object] = state.read_json("pids.json") or {}
    if left.get("boot") == boot():
        groups = set(_still_ours(left["parts"]))
        for group in groups:
            send(group, what=signal.SIGTERM)
        end(groups, seconds=STOP_SECONDS)
    (state.root / "pids.json").unlink(missing_ok=True)


def _still_ours(parts: object) -> Iterable[int]:
    """Yield the groups whose leader is the one we started, or is gone and left others behind."""
    assert isinstance(parts, dict)  # noqa: S101 - our own file
    for part in parts.values():
        if started_at(part["pid"]) in {None, part["started"]} and is_alive(part["pid"]):
            yield part["pid"]


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into the end of whatever the supervisor is doing."""
    raise Interrupted(signal.Signals(number))


def _obituary(child: Child) -> str:
    """Say which part is not well, with the end of its log."""
    lines = child.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    code = child.process.poll()
    how = "is not ready" if code is None else f"ended with status {code}"
    shown = "".join(f"\n    {line}" for line in lines)
    return f"{child.part.name} {how}; {child.log} ends with:{shown}"
