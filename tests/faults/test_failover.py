"""T03: the leader is killed: nothing acknowledged is lost, writing goes on, the dead come back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from tests.bank import operations
from tests.bank.checker import Findings, check
from tests.bank.clients import Client, Shared
from tests.bank.history import MOVING, Asked, History, Kind, Phase
from tests.bank.operations import Unsure, WayIn
from tests.bank.service_door import ServiceDoor
from tests.bank.world import create, final_books
from tests.faults.pair import Pair, pair
from tests.logins import Lines

KILLS: Final = 20
CLIENTS: Final = 4
MIX: Final = {"move": 85, "two_phase": 10, "give_back": 5}
# On the way from leader to follower, in both variants: the one difference is who waits for it.
DELAY_SECONDS: Final = 0.2
BETWEEN_SECONDS: Final = 1.5
GAP_SECONDS_P95: Final = 5.0
REJOIN_SECONDS_MAX: Final = 10.0
JOIN_SECONDS_MAX: Final = 90.0


@dataclass
class Tale:
    """What came of all kills: how long nobody could write, how long the way back took."""

    gaps: list[float] = field(default_factory=list)
    rejoins: list[float] = field(default_factory=list)
    acked: int = 0
    findings: Findings = field(default_factory=Findings)

    @property
    def gap_p95(self) -> float:
        """Return the time without writing that one kill in twenty may exceed."""
        return sorted(self.gaps)[int((len(self.gaps) - 1) * 0.95)]

    def __str__(self) -> str:
        """Show the figures that count."""
        return (
            f"{len(self.gaps)} kills, {self.acked} acknowledged, {len(self.findings.lost)} lost,"
            f" {len(self.findings.twice)} twice; no write for {self.gap_p95:.2f} s (p95),"
            f" {max(self.gaps):.2f} s at most; back in {max(self.rejoins):.2f} s at most"
        )


def fail_over(servers: Pair, *, kills: int, until_lost: bool = False) -> Tale:
    """Kill whoever leads, again and again, while clients write; compare at the end."""
    with servers.leader.entered("migrator"):
        world = create()
    shared, tale = Shared(world=world, history=History()), Tale()
    with servers.leader.entered("api"), at_work(shared, servers=servers):
        for _ in range(kills):
            kill_once(servers, shared=shared, tale=tale)
            if until_lost and lost_already(servers, shared=shared):
                break
        time.sleep(BETWEEN_SECONDS)
    assert not shared.broken, shared.broken
    with servers.leader.entered("migrator"):
        tale.findings = check(shared.history, books=final_books(world))
    tale.acked = len(acknowledged(shared.history))
    return tale


def kill_once(servers: Pair, *, shared: Shared, tale: Tale) -> None:
    """Kill the leader; note when somebody could write again, and when there were two again."""
    time.sleep(BETWEEN_SECONDS)
    killed_at = time.monotonic()
    servers.lose_leader()
    tale.gaps.append(first_ack(shared, after=time.monotonic(), servers=servers) - killed_at)
    began = time.monotonic()
    servers.take_back()
    tale.rejoins.append(time.monotonic() - began)


def first_ack(shared: Shared, *, after: float, servers: Pair) -> float:
    """Wait until somebody was acknowledged; return when."""
    end = after + JOIN_SECONDS_MAX
    while time.monotonic() < end and not shared.broken:
        if (last := acknowledged(shared.history)[-1:]) and last[0] > after:
            return next(at for at in acknowledged(shared.history) if at > after)
        servers.end_waits()
        time.sleep(0.05)
    raise TimeoutError(f"nobody could write: {shared.broken} {servers.leader.last_words()}")


def acknowledged(history: History) -> list[float]:
    """Return when each operation that moves money was acknowledged."""
    return [e.at for e in history.events if e.phase is Phase.DONE and e.asked.kind in MOVING]


def lost_already(servers: Pair, *, shared: Shared) -> bool:
    """Say whether something acknowledged is not there any more."""
    told = History(shared.history.events)
    with servers.leader.administrator() as server:
        rows = server.execute("SELECT id::text FROM transactions_transfer").fetchall()
    there = {key for (key,) in rows}
    return any(
        story.is_done and story.asked.kind is Kind.TRANSFER and story.answer.transfer not in there
        for story in told.stories()
    )


@contextmanager
def at_work(shared: Shared, *, servers: Pair) -> Iterator[None]:
    """Let clients write meanwhile, each on a line that finds whoever takes writes."""
    ports = servers.ports
    doors = [
        ServiceDoor(world=shared.world, lines=Lines(servers.leader.passwords, ports))
        for _ in range(CLIENTS)
    ]
    clients = [
        Client(number=number, seed=3, way=WayIn(door, worker=door), shared=shared, mix=MIX)
        for number, door in enumerate(doors)
    ]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        shared.is_over.set()
        for thread in threads:
            thread.join(timeout=JOIN_SECONDS_MAX)
    assert not any(thread.is_alive() for thread in threads), "a client never came back"


@pytest.fixture
def unblocked(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test have databases; they are its own."""
    with django_db_blocker.unblock():
        yield


def test_t03_short_a_commit_that_waits_for_the_dead_ends_unknown(
    tmp_path: Path, unblocked: None
) -> None:
    """The follower dies: a commit waits, is ended in time, and nobody is told that it is safe."""
    with pair(tmp_path, is_synchronous=True, delay_seconds=0.0) as servers:
        with servers.leader.entered("migrator"):
            world = create()
        servers.follower.kill()
        with servers.leader.entered("api"):
            door = ServiceDoor(world=world, lines=Lines(servers.leader.passwords))
            giver, taker = (str(each.pk) for each in world.accounts["EUR"][:2])
            order = Asked(
                kind=Kind.TRANSFER,
                source=giver,
                destination=taker,
                amount_minor=1,
                currency="EUR",
            )
            waiting = threading.Thread(target=expect_unsure, args=(door, order), daemon=True)
            waiting.start()
            ended, end = 0, time.monotonic() + JOIN_SECONDS_MAX
            while waiting.is_alive() and time.monotonic() < end:
                ended += servers.end_waits()
                time.sleep(0.1)
        assert ended == 1
        assert not waiting.is_alive()


def expect_unsure(door: ServiceDoor, order: Asked) -> None:
    """Ask once, and insist on not being answered."""
    with pytest.raises(Unsure):
        operations.move("waits", order).attempt(door)
    door.leave()


@pytest.mark.full
def test_t03_twenty_kills_lose_nothing_that_was_acknowledged(
    tmp_path: Path, unblocked: None
) -> None:
    with pair(tmp_path, is_synchronous=True, delay_seconds=DELAY_SECONDS) as servers:
        tale = fail_over(servers, kills=KILLS)
    print(f"T03 synchronous: {tale}")  # noqa: T201 - what the proof shows
    assert tale.findings.is_clean, tale.findings
    assert tale.gap_p95 <= GAP_SECONDS_P95
    assert max(tale.rejoins) <= REJOIN_SECONDS_MAX


@pytest.mark.full
def test_t03_control_without_waiting_for_the_follower_acknowledged_money_is_lost(
    tmp_path: Path, unblocked: None
) -> None:
    """What the waiting is for: the same line, the same kills, and nobody waits."""
    with pair(tmp_path, is_synchronous=False, delay_seconds=DELAY_SECONDS) as servers:
        tale = fail_over(servers, kills=KILLS, until_lost=True)
    print(f"T03 asynchronous: {tale}")  # noqa: T201 - what the proof shows
    assert tale.findings.lost
