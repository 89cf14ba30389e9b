"""Whoever wishes the bank ill: seeded, every few seconds, from the main thread."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import psycopg

from tests.clusters import Cluster
from tests.faults.commit_eater import CommitEater

PATIENCE_SECONDS: Final = 10.0
BACKENDS: Final = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND usename IN ('cs_api', 'cs_worker')
ORDER BY state <> 'active', random()
"""


class Fault(StrEnum):
    """What can happen."""

    STOP = "immediate stop"
    KILL = "backend killed"
    EAT = "answer to a commit lost"
    WORKER = "worker's child killed"


@dataclass
class Nemesis:
    """Strikes the server and the lines to it, and keeps count of what really happened."""

    server: Cluster
    eater: CommitEater
    seed: int
    workers: Callable[[], list[int]] = list
    struck: Counter[Fault] = field(default_factory=Counter)

    def haunt(self, *, seconds: float, deck: list[Fault]) -> None:
        """Spread `deck`, shuffled, over so many seconds; then leave everything healed."""
        dice = random.Random(self.seed)  # noqa: S311 - replayable
        dice.shuffle(deck)
        began = time.monotonic()
        for number, fault in enumerate(deck, start=1):
            due = began + seconds * (number - dice.random() / 2) / (len(deck) + 1)
            time.sleep(max(0.0, due - time.monotonic()))
            self.strike(fault)
        time.sleep(max(0.0, began + seconds - time.monotonic()))

    def strike(self, fault: Fault) -> None:
        """Let one fault happen, and count it if it did."""
        acts = {
            Fault.STOP: self._stop,
            Fault.KILL: self._kill,
            Fault.EAT: self._eat,
            Fault.WORKER: self._kill_worker,
        }
        self.struck[fault] += acts[fault]()

    def _stop(self) -> bool:
        """Stop the server at once, as a crash would, and start it again."""
        self.server.stop(signal.SIGQUIT)
        self.server.start()
        return True

    def _kill(self) -> bool:
        """Kill a backend, at best one at work: the server throws every session out."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError), self.server.administrator() as server:
                if found := server.execute(BACKENDS).fetchone():
                    with suppress(ProcessLookupError):
                        os.kill(found[0], signal.SIGKILL)
                        return True
            time.sleep(0.05)
        return False

    def _kill_worker(self) -> bool:
        """Kill a process that carries out tasks; its keeper starts another."""
        for pid in self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def _eat(self) -> bool:
        """Lose the answer to the next commit that comes along; the commit itself happens."""
        eaten = self.eater.eaten
        self.eater.lose = "answer"
        end = time.monotonic() + PATIENCE_SECONDS
        while self.eater.eaten == eaten and time.monotonic() < end:
            time.sleep(0.01)
        self.eater.lose = ""
        return self.eater.eaten > eaten
