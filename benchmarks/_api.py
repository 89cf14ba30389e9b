"""The partner API under load: fresh keys, used keys, and a server that is killed in between."""

import json
import math
import random
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlencode

from django.db import connections as database

from accounts.roles import SCOPES
from accounts.services.clients import register_client
from audit.typeids import uuid7
from benchmarks._house import FOUNDER, House
from benchmarks._riders import Rider
from benchmarks._servers import Server, ours
from benchmarks._table import SECONDS
from benchmarks._transfers import body_of
from benchmarks._wire import Answer, Load, after, bombard, get_of, post_of

PATH: Final = "/v1/transfers"
CREATED: Final = 201
REPLAYED: Final = b"idempotent-replayed: true"
KEPT_MAX: Final = 5_000
KILLED_AT: Final = 100
GRACE_SECONDS: Final = 1.0


class Api:
    """A running api process, a client's token, and what was sent and answered so far."""

    def __init__(self, server: Server, *, house: House, connections: int) -> None:
        """Fetch a token, and note how the books stand."""
        self.port = server.port
        self.house = house
        self.connections = connections
        self.loads: list[Load] = []
        self.kept: dict[bytes, bytes] = {}
        self._token = _token(server.port, house=house)
        self._rider = Rider.mount([house.book_id])
        self._wrong: list[str] = []
        self._done = 0

    def post(self) -> float:
        """Send fresh transfers; return how many a second were taken."""
        return self._send(self.fresh(), seconds=SECONDS).rate

    def send(self, requests: Iterator[bytes], *, number: int) -> Load:
        """Send so many of the requests."""
        return self._send(islice(requests, number), seconds=math.inf)

    def replay(self) -> float:
        """Send requests that were sent before; return how many a second were answered again."""
        load = bombard(
            self.port,
            connections=self.connections,
            requests=cycle(list(self.kept)),
            seconds=SECONDS,
            heed=self._compare,
        )
        self._wrong += load.bad
        return load.rate

    def fresh(self) -> Iterator[bytes]:
        """Yield requests without end, each with a key of its own."""
        while True:
            payer, payee = random.sample(self.house.accounts, 2)
            body = json.dumps(body_of(payer, payee=payee)).encode()
            yield self.request(body)

    def mixed(self) -> Iterator[bytes]:
        """Yield, in turn and without end: a fresh transfer, one sent before, and two readings."""
        bearer = {"Authorization": f"Bearer {self._token}"}
        for fresh, used in zip(self.fresh(), cycle(list(self.kept)), strict=False):
            yield fresh
            yield used
            account = random.choice(self.house.accounts).public_id
            yield get_of(f"/v1/accounts/{account}", headers=bearer)
            yield get_of("/v1/transfers?limit=20", headers=bearer)

    def request(self, body: bytes) -> bytes:
        """Return one request under a fresh key."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": uuid7().hex}
        return post_of(PATH, body=body, headers=headers)

    def wrong(self) -> list[str]:
        """Return what is wrong with answers and books after all of it."""
        bad = [line for load in self.loads for line in load.bad]
        return [*bad, *self._wrong[:3], *self._rider.wrong(done=self._done)]

    def _send(self, requests: Iterator[bytes], *, seconds: float) -> Load:
        load = bombard(
            self.port,
            connections=self.connections,
            requests=requests,
            seconds=seconds,
            heed=self._keep,
        )
        self.loads.append(load)
        return load

    def _keep(self, answer: Answer) -> None:
        """Count what was made, and keep the first answers for comparison with their replays."""
        if answer.request in self.kept:
            self._compare(answer)
        elif answer.status == CREATED:
            self._done += 1
            if len(self.kept) < KEPT_MAX:
                self.kept[answer.request] = answer.body

    def _compare(self, answer: Answer) -> None:
        if answer.body != self.kept[answer.request] or REPLAYED not in answer.head.lower():
            self._wrong.append(f"a replay was answered {answer.status} {answer.body[:80]!r}")


def kill_and_repeat(house: House, *, connections: int) -> list[str]:
    """Kill the api process under load, send all again; return what was lost or doubled."""
    database.close_all()
    rider = Rider.mount([house.book_id])
    sent: list[bytes] = []
    with ours("api") as server:
        api = Api(server, house=house, connections=connections)
        with suppress(EOFError, ConnectionError):
            bombard(
                server.port,
                connections=connections,
                requests=_noted(api.fresh(), sent),
                heed=after(KILLED_AT, server.kill),
            )
    time.sleep(GRACE_SECONDS)  # the server processes of its connections find out
    with ours("api") as server:
        again = bombard(server.port, connections=connections, requests=iter(sent))
    return [*again.bad, *rider.wrong(done=len(sent))]


def _noted(requests: Iterator[bytes], sent: list[bytes], /) -> Iterator[bytes]:
    """Pass requests on and keep a list of them."""
    for request in requests:
        sent.append(request)
        yield request


def _token(port: int, *, house: House) -> str:
    """Register a client of the house and return its access token."""
    client = register_client(
        actor=FOUNDER, partner_id=house.partner.pk, name=f"Bench {uuid7()}", scopes=list(SCOPES)
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.secret,
        "scope": " ".join(SCOPES),
    }
    with closing(HTTPConnection("127.0.0.1", port)) as line:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", "/v1/oauth/token", urlencode(form), kind)
        return str(json.loads(line.getresponse().read())["access_token"])
