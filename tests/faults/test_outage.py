"""T10: the database goes away under load: callers hear 503 in time, and it heals by itself."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from signal import SIGQUIT
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from accounts.roles import SCOPES
from accounts.services.clients import register_client
from tests.bank.clients import Client, Shared
from tests.bank.history import History
from tests.bank.http_door import HttpDoor, Served, token_for
from tests.bank.operations import WayIn
from tests.bank.service_door import ServiceDoor
from tests.bank.world import FOUNDER, World, create
from tests.clusters import Cluster, cluster
from tests.logins import Lines
from tests.processes import ApiProcess, api_process

CALLERS: Final = 4
MIX: Final = {"move": 9, "resend": 1}
BEFORE_SECONDS: Final = 1.5
ANSWER_SECONDS_MAX: Final = 5.0
HEAL_SECONDS_MAX: Final = 5.0
JOIN_SECONDS_MAX: Final = 90.0
FINE: Final = {200, 201, 409, 422}


@dataclass(frozen=True)
class Outage:
    """What callers were answered before, while and after the database was away."""

    before: list[Served]
    meanwhile: list[Served]
    after: list[Served]
    back_at: float

    @property
    def healed_seconds(self) -> float:
        """Return how long after its return the first caller was served."""
        served = [each.at for each in self.after if each.status in FINE]
        return min(served, default=float("inf")) - self.back_at

    def __str__(self) -> str:
        """Show who heard what."""
        slowest = max(each.seconds for each in [*self.meanwhile, *self.after])
        return (
            f"before {said(self.before)}, without a database {said(self.meanwhile)}, after"
            f" {said(self.after)}; slowest {slowest:.2f} s, healed in {self.healed_seconds:.2f} s"
        )


def said(answers: list[Served]) -> dict[int, int]:
    """Count the answers by their status."""
    return dict(Counter(each.status for each in answers))


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Cluster]:
    """A database of its own, with the API in front of it."""
    with django_db_blocker.unblock(), cluster(tmp_path_factory.mktemp("outage")) as made:
        yield made


def outage(server: Cluster, *, seconds: float) -> Outage:
    """Stop the database for so long while callers go on."""
    with server.entered("migrator"):
        world = create()
        client = register_client(
            actor=FOUNDER, partner_id=world.partner.pk, name="Backend", scopes=list(SCOPES)
        )
    with api_process(database=server.url("cs_api")) as process:
        token = token_for(client, port=process.port, scope=" ".join(SCOPES))
        return _stop_and_start(server, process=process, world=world, token=token, seconds=seconds)


def _stop_and_start(
    server: Cluster, *, process: ApiProcess, world: World, token: str, seconds: float
) -> Outage:
    """Let callers call while the database goes and comes; sort what they heard by when."""
    shared = Shared(world=world, history=History())
    reader = ServiceDoor(world=world, lines=Lines(server.passwords))
    doors = [HttpDoor(port=process.port, token=token, reader=reader) for _ in range(CALLERS)]
    callers = [
        threading.Thread(
            target=Client(number=number, seed=1, way=WayIn(door), shared=shared, mix=MIX).run
        )
        for number, door in enumerate(doors)
    ]
    for caller in callers:
        caller.start()
    time.sleep(BEFORE_SECONDS)
    gone_at = time.monotonic()
    server.stop(SIGQUIT)
    time.sleep(seconds)
    back_from = time.monotonic()
    server.start()
    back_at = time.monotonic()
    time.sleep(BEFORE_SECONDS)
    while not _is_served(doors, since=back_at) and time.monotonic() < back_at + JOIN_SECONDS_MAX:
        time.sleep(0.05)
    shared.is_over.set()
    for caller in callers:
        caller.join(timeout=JOIN_SECONDS_MAX)
    assert not shared.broken, shared.broken
    heard = sorted((each for door in doors for each in door.served), key=lambda each: each.at)
    return Outage(
        before=[each for each in heard if each.at < gone_at],
        meanwhile=[each for each in heard if gone_at < each.at < back_from],
        after=[each for each in heard if each.at >= back_at],
        back_at=back_at,
    )


def _is_served(doors: list[HttpDoor], *, since: float) -> bool:
    """Say whether a caller was served again."""
    return any(
        each.status in FINE and each.at > since for door in doors for each in door.served[-9:]
    )


def assert_unavailable_in_time(found: Outage) -> None:
    """Insist on service before, on nothing but 503 in time without a database, and on healing."""
    assert set(said(found.before)) <= FINE
    assert found.before
    assert said(found.meanwhile).get(503, 0) >= CALLERS, "nobody noticed"
    assert set(said(found.meanwhile)) <= {503} | FINE
    assert set(said(found.after)) <= {503} | FINE
    assert max(each.seconds for each in found.meanwhile + found.after) <= ANSWER_SECONDS_MAX
    assert found.healed_seconds <= HEAL_SECONDS_MAX


def test_t10_short_without_a_database_callers_hear_503_and_it_heals(server: Cluster) -> None:
    found = outage(server, seconds=3.0)
    print(f"T10 short: {found}")  # noqa: T201 - what the proof shows
    assert_unavailable_in_time(found)


@pytest.mark.full
def test_t10_ten_seconds_without_a_database_are_heard_as_503_and_heal(server: Cluster) -> None:
    found = outage(server, seconds=10.0)
    print(f"T10: {found}")  # noqa: T201 - what the proof shows
    assert_unavailable_in_time(found)
