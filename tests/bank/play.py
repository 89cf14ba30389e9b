"""One run of the bank: world, clients, nemesis, final reading, verdict."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from tests.bank.checker import Findings, check
from tests.bank.clients import Client, Shared, Tally, tally
from tests.bank.history import History
from tests.bank.nemesis import Fault, Nemesis
from tests.bank.operations import WayIn
from tests.bank.world import World, create, final_books
from tests.clusters import Cluster
from tests.faults.commit_eater import CommitEater

JOIN_SECONDS_MAX: Final = 90.0
POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, which faults, and what a run needs at least to mean anything.

    The faults are spread over `seconds`; on a slow machine the clients go on until there is
    enough to judge, up to `seconds_max`.
    """

    seconds: float
    seconds_max: float
    faults: Mapping[Fault, int]
    acked_min: int
    reads_min: int
    in_doubt_min: int
    known_min: int
    silence_seconds_max: float
    seed: int = 1

    def void_because(self, found: Tally, *, struck: Mapping[Fault, int]) -> list[str]:
        """Return why a run under this plan proves nothing; empty if it counts."""
        wanted: dict[str, tuple[int, int]] = {
            "acknowledged": (found.acked, self.acked_min),
            "reads": (found.reads, self.reads_min),
            "in doubt": (found.in_doubt, self.in_doubt_min),
            "known after doubt": (found.known_after_doubt, self.known_min),
            **{fault: (struck.get(fault, 0), least) for fault, least in self.faults.items()},
        }
        return [
            f"{name}: {had} of {least}" for name, (had, least) in wanted.items() if had < least
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run showed."""

    plan: Plan
    tally: Tally
    struck: Mapping[Fault, int]
    findings: Findings
    seconds: float

    @property
    def void_because(self) -> list[str]:
        """Return why the run proves nothing; empty if it counts."""
        return self.plan.void_because(self.tally, struck=self.struck)

    @property
    def is_quiet_too_long(self) -> bool:
        """Say whether nobody was served for longer than the plan allows."""
        return self.tally.silence_seconds > self.plan.silence_seconds_max

    def __str__(self) -> str:
        """Show figures, faults and findings, a line each."""
        counted = self.tally
        struck = ", ".join(f"{times} x {fault}" for fault, times in self.struck.items())
        wrong = ", ".join(f"{name} {count}" for name, count in self.findings.counts().items())
        return (
            f"{self.seconds:.0f} s, {counted.acked} acknowledged, {counted.reads} reads,"
            f" {counted.resent} keys sent again; {counted.in_doubt} in doubt, of them"
            f" {counted.known_after_doubt} found done;"
            f" longest silence {counted.silence_seconds:.1f} s\n"
            f"  faults: {sum(self.struck.values())} ({struck})\n  {wrong}"
        )


class Side(Protocol):
    """From where the clients reach the bank, and who works behind it."""

    @property
    def mix(self) -> Mapping[str, int]:
        """Return what clients do, and how often."""
        ...

    def opened(
        self, world: World, *, server: Cluster, port: int
    ) -> AbstractContextManager[Sequence[WayIn]]:
        """Open a way in a client; some of their lines may lead through `port` to the server."""
        ...

    def workers(self) -> list[int]:
        """Return the processes that may be killed while they work."""
        ...

    def conclude(self, client: Client, *, server: Cluster) -> None:
        """Bring to an end what is under way, once nothing goes wrong any more."""
        ...


def play(server: Cluster, *, plan: Plan, side: Side) -> Report:
    """Run the bank on a server of its own and compare what was told with what is there."""
    with server.entered("migrator"):
        world = create()
    shared = Shared(world=world, history=History())
    with server.entered("api"), CommitEater("127.0.0.1", port=server.port) as eater:
        nemesis = Nemesis(server=server, eater=eater, seed=plan.seed, workers=side.workers)
        with side.opened(world, server=server, port=eater.port) as ways:
            clients = [
                Client(number=number, seed=plan.seed, way=way, shared=shared, mix=side.mix)
                for number, way in enumerate(ways)
            ]
            began = time.monotonic()
            _run(clients, nemesis=nemesis, plan=plan, shared=shared)
            seconds = time.monotonic() - began
            if shared.broken:
                raise ExceptionGroup("clients broke", shared.broken)  # type: ignore[type-var]
            counted = tally(shared.history)
            side.conclude(clients[-1], server=server)
    with server.entered("migrator"):
        books = final_books(world)
    return Report(
        plan=plan,
        tally=counted,
        struck=nemesis.struck,
        seconds=seconds,
        findings=check(shared.history, books=books),
    )


def _run(clients: list[Client], *, nemesis: Nemesis, plan: Plan, shared: Shared) -> None:
    """Let the clients work while the nemesis strikes; return when all have their answers."""
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        deck = [fault for fault, times in plan.faults.items() for _ in range(times)]
        nemesis.haunt(seconds=plan.seconds, deck=deck)
        _wait_for_enough(plan, nemesis=nemesis, shared=shared)
    finally:
        shared.is_over.set()
        for thread in threads:
            thread.join(timeout=JOIN_SECONDS_MAX)
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError("a client never came back")


def _wait_for_enough(plan: Plan, *, nemesis: Nemesis, shared: Shared) -> None:
    """Let the clients go on until a verdict would mean something, or it takes too long."""
    end = time.monotonic() + plan.seconds_max - plan.seconds
    while time.monotonic() < end and not shared.broken:
        found = tally(shared.history)
        if found.known_after_doubt < plan.known_min:
            nemesis.strike(Fault.EAT)
        elif found.acked >= plan.acked_min and found.reads >= plan.reads_min:
            return
        time.sleep(POLL_SECONDS)
