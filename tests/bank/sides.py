"""The two sides from which the bank is reached: its commands, and its HTTP API."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from accounts.roles import SCOPES
from accounts.services.clients import register_client
from audit.typeids import typeid
from tests.bank import operations
from tests.bank.clients import MIX, Client
from tests.bank.history import Answer, Asked, Event, Kind, Phase
from tests.bank.http_door import HttpDoor, token_for
from tests.bank.operations import WayIn
from tests.bank.service_door import ServiceDoor
from tests.bank.world import FOUNDER, World
from tests.clusters import Cluster
from tests.faults.conftest import Doubles
from tests.faults.crew import Crew
from tests.logins import Lines
from tests.processes import api_process
from transactions.models import Transfer
from transactions.states import TransferKind, TransferState

CLIENTS: Final = 8
BEHIND_THE_EATER: Final = 2  # clients whose line may lose a commit's answer
WEB_PROCESSES: Final = 2
UNDER_WAY: Final = (TransferState.ACCEPTED, TransferState.DISPATCHED, TransferState.UNKNOWN)
END_SECONDS_MAX: Final = 180.0


@dataclass
class ServiceSide:
    """Clients call the commands; each is also the worker and the provider of its payouts."""

    mix: Mapping[str, int] = field(default_factory=lambda: MIX)
    door: type[ServiceDoor] = ServiceDoor

    @contextmanager
    def opened(self, world: World, *, server: Cluster, port: int) -> Iterator[Sequence[WayIn]]:
        """Open a door a client, two of them through `port`."""
        doors = [
            self.door(
                world=world,
                lines=Lines(server.passwords, [port] if number < BEHIND_THE_EATER else []),
            )
            for number in range(CLIENTS)
        ]
        yield [WayIn(door, worker=door) for door in doors]

    def workers(self) -> list[int]:
        """Return nobody: the clients are threads of ours."""
        return []

    def conclude(self, client: Client, *, server: Cluster) -> None:
        """Book as paid what was claimed by somebody who never heard so, as the sweeper would."""
        assert client.way.worker is not None
        with server.entered("worker"):
            for key in _payouts(client, TransferState.DISPATCHED):
                name, transfer = f"swept-{key}", str(key)
                client.carry_out(
                    operations.settle(name, transfer=transfer, worker=client.way.worker)
                )
        client.way.door.leave()


@dataclass
class HttpSide:
    """Clients call two web processes; a Celery worker with two children pays out at a bank.

    The bank's own memory is the history of what was paid: nobody here could know better.
    """

    folder: Path
    outside: Doubles | None = None
    crew: Crew | None = None

    @property
    def mix(self) -> Mapping[str, int]:
        """Return what clients do: what has come back is the bank's to say, and it says nothing."""
        payouts = {"two_phase": MIX["two_phase"]} if self.outside else {}
        return {name: MIX[name] for name in ("move", "read", "resend")} | payouts

    @contextmanager
    def opened(self, world: World, *, server: Cluster, port: int) -> Iterator[Sequence[WayIn]]:
        """Start everybody, and give each client a line to the API."""
        with server.entered("migrator"):
            client = register_client(
                actor=FOUNDER, partner_id=world.partner.pk, name="Bank", scopes=list(SCOPES)
            )
        address = server.url("cs_api", port=port)
        with self._crew(server), api_process(database=address, workers=WEB_PROCESSES) as api:
            token = token_for(client, port=api.port, scope=" ".join(SCOPES))
            yield [
                WayIn(
                    HttpDoor(
                        port=api.port,
                        token=token,
                        reader=ServiceDoor(world=world, lines=Lines(server.passwords)),
                    )
                )
                for _ in range(CLIENTS)
            ]

    def workers(self) -> list[int]:
        """Return the Celery worker's children."""
        return self.crew.children_of_worker() if self.crew else []

    def conclude(self, client: Client, *, server: Cluster) -> None:
        """Wait until every payout has an end, and take down what the bank says it paid."""
        if self.outside is None:
            return
        with server.entered("worker"):
            end = time.monotonic() + END_SECONDS_MAX
            while _payouts(client, *UNDER_WAY) and time.monotonic() < end:
                time.sleep(0.5)
            for key in _payouts(client):
                for number in range(self.outside.bank.times_moved(typeid("trf", key))):
                    client.shared.history.add(_paid(key, number=number))

    @contextmanager
    def _crew(self, server: Cluster) -> Iterator[None]:
        """Run bell, worker and beat, where there is a bank to pay out at."""
        if self.outside is None:
            yield
            return
        self.crew = Crew(folder=self.folder, outside=self.outside, secret="whsec_", server=server)
        try:
            self.crew.start_redis()
            self.crew.start_workers()
            yield
        finally:
            self.crew.kill_all()


def _payouts(client: Client, *states: TransferState) -> list[UUID]:
    """Return the payouts of the client's partner in these states, in any without."""
    book_id = client.shared.world.partner.book_id
    found = Transfer.objects.filter(book_id=book_id, kind=TransferKind.PAYOUT)
    if states:
        found = found.filter(state__in=states)
    return list(found.values_list("pk", flat=True))


def _paid(key: UUID, *, number: int) -> Event:
    """Return what the bank did as a line of the history."""
    return Event(
        operation=f"paid-{key}-{number}",
        phase=Phase.DONE,
        at=time.monotonic(),
        asked=Asked(kind=Kind.SETTLE, transfer=str(key)),
        answer=Answer(transfer=str(key)),
    )
