"""A batch of 1,000 transfers in one command, an outcome and an entry each: how many a second?

Two processes, a partner each, so that one's Python overlaps with the other's SQL. Peers: B (the
set-based batch of 1,000 in plain SQL without foreign keys, one client: its best), and K and O,
which know single transfers only, from 4 processes.
"""

import random
from collections.abc import Sequence
from functools import partial
from typing import Final

from django.db import connection, connections

from accounts.models import Account
from audit.typeids import uuid7
from benchmarks._databases import work_as
from benchmarks._house import ACCOUNTS, House, build_several
from benchmarks._peers import hordak, plain_orm, raw
from benchmarks._race import Act, race
from benchmarks._riders import Rider
from benchmarks._table import SECONDS, Bar, interleave, judge, show
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.batches import request_transfers
from transactions.services.intake import Instruction
from transactions.services.storing import Taken

ITEMS: Final = 1_000
PROCESSES: Final = 2
OURS: Final = "request_transfers"
BATCH, HORDAK, ORM = (
    "B: set-based SQL, pgbench",
    "K: django-hordak, singly",
    "O: plain ORM, singly",
)
BARS: Final = tuple(
    Bar(row=OURS, peer=peer, least=least)
    for peer, least in ((BATCH, 0.26), (HORDAK, 6.0), (ORM, 14.0))
)


def post_batch(house: House, pairs: Sequence[tuple[Account, Account]], /) -> int:
    """Move a cent between each of the pairs in one command; return how many were moved."""
    instructions = [
        Instruction(
            order=TransferOrder(
                source_id=payer.pk, destination_id=payee.pk, money=Money(1, "EUR")
            ),
            origin=uuid7().hex,
        )
        for payer, payee in pairs
    ]
    found = request_transfers(actor=house.client, instructions=instructions)
    return sum(isinstance(each, Taken) for each in found)


class Batches:
    """Batches in a house a process, raced again and again, and their rider."""

    def __init__(self, houses: Sequence[House]) -> None:
        """Note how the books stand before the first."""
        self.houses = houses
        self._rider = Rider.mount([house.book_id for house in houses])
        self._done = 0

    def race(self) -> float:
        """Post batches; return transfers a second."""
        connections.close_all()
        lap = race(self._make, processes=PROCESSES, seconds=SECONDS)
        self._done += lap.done
        return lap.rate

    def wrong(self) -> list[str]:
        """Return what is wrong with the books after all of it."""
        return self._rider.wrong(done=self._done)

    def _make(self, number: int) -> Act:
        random.seed()
        connection.ensure_connection()
        return partial(self._one, self.houses[number])

    def _one(self, house: House) -> int:
        drawn = [random.sample(house.accounts, 2) for _ in range(ITEMS)]
        return post_batch(house, [(payer, payee) for payer, payee in drawn])


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    ours = Batches(build_several(houses=PROCESSES))
    work_as("cs_api")
    with (
        raw(accounts=ACCOUNTS) as r,
        hordak(accounts=ACCOUNTS) as k,
        plain_orm(accounts=ACCOUNTS) as o,
    ):
        found = interleave(
            {
                OURS: ours.race,
                BATCH: partial(r.batch, clients=1, seconds=SECONDS, items=ITEMS),
                HORDAK: partial(k.race, processes=4, seconds=SECONDS),
                ORM: partial(o.race, processes=4, seconds=SECONDS),
            }
        )
        wrong = [*r.wrong(), *k.wrong(), *o.wrong()]
    show(f"Batches of {ITEMS:,}, {PROCESSES} processes", found, peers=(BATCH, HORDAK, ORM))
    return judge(found, BARS, wrong=[*wrong, *ours.wrong()])
