"""One side is always the same system account: does it hold anybody up?

No command of ours posts a partner's transfer against a system account yet, so a bench-only
command stands in: journal, letter and entry through `transactions.ledger.posting`, as a fee would
be taken. Peer: the same command between two accounts of customers, so that nothing else differs.
Thirty-two clients come as they come to web processes: eight threads of each of four, which share
two connections. As many processes with a connection each, which ours never open, are held to the
same bar: it is the database then that is crowded.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone

from accounts.models import Account
from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record
from audit.typeids import uuid7
from benchmarks._databases import share_connections, work_as
from benchmarks._house import build
from benchmarks._race import Act, race
from benchmarks._riders import Rider
from benchmarks._table import SECONDS, Bar, interleave, judge, show
from transactions.ledger.posting import Draft, Line, post
from transactions.models import LedgerAccount

UNIFORM, HOT = "any two accounts, 4 processes", "one system account, 4"
CROWDED, UNPOOLED = "the same, 32 clients of 4 processes", "the same, 32 processes, no pool"
PROCESSES: Final = 4
CLIENTS_A_PROCESS: Final = 8
CONNECTIONS_A_PROCESS: Final = 2
BARS: Final = (
    Bar(row=HOT, peer=UNIFORM, least=0.9),
    Bar(row=CROWDED, peer=HOT, least=0.9),
    Bar(row=UNPOOLED, peer=HOT, least=0.9),
)


@command
def pay_anywhere(*, actor: Actor, payer: Account, payee_id: UUID, origin: str) -> UUID:
    """Move one cent from an account to any account of its book."""
    journal_id = post(
        Draft(
            book_id=payer.book_id,
            purpose="bench",
            subject_ref=payer.audit_ref,
            origin=origin,
            occurred_at=timezone.now(),
            lines=[
                Line(account_id=payer.pk, amount_minor=-1, currency="EUR"),
                Line(account_id=payee_id, amount_minor=1, currency="EUR"),
            ],
        )
    )
    publish(
        "bench.paid",
        book_id=payer.book_id,
        payload={"journal": str(journal_id)},
        occurred_at=timezone.now(),
    )
    record("bench.paid", actor=actor, target=payer, facts={"journal": journal_id})
    return journal_id


class Street:
    """A house's accounts, its system account, and what was paid to either."""

    def __init__(self) -> None:
        """Build the house; its opening balances came from a system account, which will do."""
        house = build()
        self.accounts = house.accounts
        self.actor = replace(
            house.client, grants=house.client.grants | {"benchmarks.pay_anywhere"}
        )
        self.system = LedgerAccount.objects.get(book_id=house.book_id, keeps_balance=False)
        self._rider = Rider.mount([house.book_id])
        self._left_minor = 0

    def uniform(self, *, processes: int) -> float:
        """Race between any two accounts; return payments a second."""
        return self._race(self._to_anybody, processes=processes)[1]

    def hot(self, *, processes: int) -> float:
        """Race to the system account; return payments a second."""
        done, rate = self._race(
            lambda: self._pay(random.choice(self.accounts), self.system.pk), processes=processes
        )
        self._left_minor += done
        return rate

    def wrong(self) -> list[str]:
        """Return what is wrong with the books; each cent told as paid has left, once."""
        return self._rider.wrong(moved_minor=-self._left_minor)

    def crowded(self) -> float:
        """Race to the system account as web processes do: many clients, few connections."""

        def make(_: int) -> Act:
            random.seed()
            share_connections(CONNECTIONS_A_PROCESS)
            return self._visit

        lap = race(make, processes=PROCESSES, seconds=SECONDS, threads=CLIENTS_A_PROCESS)
        self._left_minor += lap.done
        return lap.rate

    def _race(self, act: Act, *, processes: int) -> tuple[int, float]:
        def make(_: int) -> Act:
            random.seed()
            connection.ensure_connection()
            return act

        connections.close_all()
        lap = race(make, processes=processes, seconds=SECONDS)
        return lap.done, lap.rate

    def _visit(self) -> int:
        """Pay the system account, and give the connection back as after a request."""
        try:
            return self._pay(random.choice(self.accounts), self.system.pk)
        finally:
            connection.close()

    def _to_anybody(self) -> int:
        payer, payee = random.sample(self.accounts, 2)
        return self._pay(payer, payee.pk)

    def _pay(self, payer: Account, payee_id: UUID, /) -> int:
        pay_anywhere(actor=self.actor, payer=payer, payee_id=payee_id, origin=uuid7().hex)
        return 1


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    street = Street()
    work_as("cs_api")
    measures: dict[str, Callable[[], float]] = {
        UNIFORM: partial(street.uniform, processes=PROCESSES),
        HOT: partial(street.hot, processes=PROCESSES),
        CROWDED: street.crowded,
        UNPOOLED: partial(street.hot, processes=PROCESSES * CLIENTS_A_PROCESS),
    }
    found = interleave(measures)
    show("A bench-only command against one system account", found, peers=(UNIFORM, HOT))
    return judge(found, BARS, wrong=street.wrong())
