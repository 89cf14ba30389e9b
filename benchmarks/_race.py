"""Racing: so many processes do one thing over and over, together, for so many seconds.

Each by itself, or so many threads of each, as a web process serves its callers.
"""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Final

Act = Callable[[], int]
START_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """How much was done, all processes together, and how long the slowest took."""

    done: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return how much was done a second."""
        return self.done / self.seconds


def race(make: Callable[[int], Act], *, processes: int, seconds: float, threads: int = 1) -> Lap:
    """Let each process `make` its act from its number, then start all of them at once.

    The caller has no open connections: a forked one would be shared. Raises
    EOFError where a process fell.
    """
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(processes)
    runners, ends = [], []
    for number in range(processes):
        end, said = fork.Pipe(duplex=False)
        runner = fork.Process(
            target=_run,
            args=(make, said),
            kwargs={"number": number, "gate": gate, "seconds": seconds, "threads": threads},
        )
        runner.start()
        said.close()
        runners.append(runner)
        ends.append(end)
    laps: list[Lap] = [end.recv() for end in ends]
    for runner in runners:
        runner.join()
    return Lap(done=sum(lap.done for lap in laps), seconds=max(lap.seconds for lap in laps))


def _run(
    make: Callable[[int], Act],
    said: Connection,
    /,
    *,
    number: int,
    gate: Barrier,
    seconds: float,
    threads: int,
) -> None:
    act = make(number)
    gate.wait(START_SECONDS_MAX)
    started = time.perf_counter()
    repeat = partial(_repeat, act, until=started + seconds)
    done = repeat() if threads == 1 else _together(repeat, threads=threads)
    said.send(Lap(done=done, seconds=time.perf_counter() - started))


def _together(repeat: Callable[[], int], *, threads: int) -> int:
    with ThreadPoolExecutor(threads) as runners:
        runs = [runners.submit(repeat) for _ in range(threads)]
    return sum(run.result() for run in runs)


def _repeat(act: Act, /, *, until: float) -> int:
    done = 0
    while time.perf_counter() < until:
        done += act()
    return done
