"""Our transfer as the command door runs it: with its key, as in a partner's request."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, Final, cast

from django.db import connection, connections
from django.http import QueryDict
from rest_framework.request import Request

from accounts.frontdesk.idempotency import HEADER, KeyedCall
from accounts.models import Account
from audit.commands import AlreadyDone
from audit.typeids import uuid7
from benchmarks._databases import work_as
from benchmarks._house import House
from benchmarks._race import Act, race
from benchmarks._riders import Rider
from benchmarks._table import SECONDS
from transactions.api.transfers import CREATE
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.transfers import request_transfer

KILLED_AT: Final = 50
GRACE_SECONDS: Final = 0.5
NO_QUERY: Final = QueryDict()


class Runs:
    """Transfers among the accounts of some houses, raced again and again, and their rider."""

    def __init__(self, houses: Sequence[House], *, database: str = "") -> None:
        """Note how the books stand before the first, in our database or in another."""
        self.houses = houses
        self._database = database
        self._rider = Rider.mount([house.book_id for house in houses], database=database)
        self._done = 0

    def race(self, *, processes: int) -> float:
        """Let so many processes post transfers; return how many a second."""
        work_as("cs_api", database=self._database)
        lap = race(self._make, processes=processes, seconds=SECONDS)
        self._done += lap.done
        return lap.rate

    def wrong(self) -> list[str]:
        """Return what is wrong with the books after all of it."""
        return self._rider.wrong(done=self._done)

    def _make(self, number: int) -> Act:
        del number
        random.seed()
        connection.ensure_connection()
        return self._one

    def _one(self) -> int:
        house = random.choice(self.houses)
        payer, payee = random.sample(house.accounts, 2)
        return request(house, payer=payer, payee=payee, key=uuid7().hex)


def kill_and_repeat(house: House) -> list[str]:
    """Kill a client in the middle, send all its keys again; return what was lost or doubled."""
    connections.close_all()
    rider, name = Rider.mount([house.book_id]), uuid7().hex
    fork = multiprocessing.get_context("fork")
    heard, said = fork.Pipe(duplex=False)
    client = fork.Process(target=_send_numbered, args=(house, said), kwargs={"name": name})
    client.start()
    said.close()
    sent = 0
    while sent < KILLED_AT:
        sent = heard.recv()
    client.kill()
    client.join()
    with suppress(EOFError, OSError):
        while True:
            sent = heard.recv()
    time.sleep(GRACE_SECONDS)  # its server process finds out
    made = sum(_send(house, name=name, number=number) for number in range(sent))
    wrong = [] if made <= 1 else [f"{made} transfers told as done were lost with their client"]
    return wrong + rider.wrong(done=sent)


def request(house: House, *, payer: Account, payee: Account, key: str) -> int:
    """Move one cent under a key; return how many transfers that made: none if it was used."""
    call = KeyedCall(_asked(payer, payee=payee, key=key), actor=house.client, route=CREATE)
    order = TransferOrder(source_id=payer.pk, destination_id=payee.pk, money=Money(1, "EUR"))
    try:
        request_transfer(actor=house.client, order=order, origin=call.origin, **call.once)
    except AlreadyDone:
        return 0
    return 1


def body_of(payer: Account, *, payee: Account) -> dict[str, Any]:
    """Return what a partner sends."""
    return {
        "kind": "internal",
        "source_account": payer.public_id,
        "destination_account": payee.public_id,
        "amount_minor": 1,
        "currency": "EUR",
    }


def _send_numbered(house: House, said: Connection, /, *, name: str) -> None:
    """Send one transfer after the other, each announced before it is sent."""
    for number in count():
        said.send(number + 1)
        _send(house, name=name, number=number)


def _send(house: House, *, name: str, number: int) -> int:
    payer, payee = house.accounts[:2]
    return request(house, payer=payer, payee=payee, key=f"{name}-{number}")


def _asked(payer: Account, *, payee: Account, key: str) -> Request:
    """Return what a keyed call reads of a request, without building one by way of HTTP."""
    asked = SimpleNamespace(
        headers={HEADER: key},
        method="POST",
        path="/v1/transfers",
        query_params=NO_QUERY,
        content_type="application/json",
        data=body_of(payer, payee=payee),
    )
    return cast("Request", asked)
