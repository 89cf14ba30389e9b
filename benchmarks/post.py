"""How many transfers a second does one command post, against what the database can do at all?

Peer: our own posting function called bare (`SELECT ledger_post(…)`, one commit each): the same
journal without permission, version, letter, entry and Python. Uniform: many accounts. Hot: one
account pays all. Durable commits, rounds interleaved, medians.
"""

import json
import random
import time
from collections.abc import Callable
from functools import partial

from django.db import connection
from django.utils import timezone

from audit.typeids import uuid7
from benchmarks._house import House, build, interleave, login_as, per_second, show
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.transfers import request_transfer

ACCOUNTS = 64
SECONDS = 2.0
ROUNDS = 5
PROCESSES = 4
PEER = "bare posting function"


def pair(*, is_hot: bool) -> tuple[int, int]:
    """Choose who pays and who is paid."""
    payer, payee = random.sample(range(ACCOUNTS), 2)
    return (0, payee or 1) if is_hot else (payer, payee)


def commit_rows(seconds: float) -> int:
    """Commit one small row after the other."""
    random.seed()
    return _until(seconds, lambda: _run("INSERT INTO bench_row (note) VALUES ('x')"))


def post_bare(seconds: float, *, house: House, is_hot: bool) -> int:
    """Post one journal a commit, straight through the database function."""
    random.seed()

    def one() -> None:
        payer, payee = pair(is_hot=is_hot)
        lines = [
            {"account": str(house.accounts[payer].pk), "amount": -1, "currency": "EUR"},
            {"account": str(house.accounts[payee].pk), "amount": 1, "currency": "EUR"},
        ]
        journal = {
            "book": str(house.partner.book_id),
            "purpose": "internal",
            "subject": "bench",
            "origin": uuid7().hex,
            "trace": "",
            "occurred_at": timezone.now().isoformat(),
            "lines": lines,
        }
        _run("SELECT ledger_post(%s::jsonb)", json.dumps(journal))

    return _until(seconds, one)


def post_by_command(seconds: float, *, house: House, is_hot: bool) -> int:
    """Run the command that a partner's request runs."""
    random.seed()

    def one() -> None:
        payer, payee = pair(is_hot=is_hot)
        order = TransferOrder(
            source_id=house.accounts[payer].pk,
            destination_id=house.accounts[payee].pk,
            money=Money(1, "EUR"),
        )
        request_transfer(actor=house.client, order=order, origin=uuid7().hex)

    return _until(seconds, one)


def _until(seconds: float, act: Callable[[], None]) -> int:
    deadline, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < deadline:
        act()
        count += 1
    return count


def _run(sql: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def main() -> None:
    """Measure uniform and hot, and print both tables."""
    house = build(accounts=ACCOUNTS)
    _run("CREATE TABLE IF NOT EXISTS bench_row (note text)")
    _run("GRANT INSERT ON bench_row TO cs_api")
    login_as("api")
    for is_hot in (False, True):
        bare = partial(post_bare, house=house, is_hot=is_hot)
        command = partial(post_by_command, house=house, is_hot=is_hot)
        acts: dict[str, Callable[[float], int]] = {
            "one small row a commit": commit_rows,
            PEER: bare,
            "request_transfer": command,
        }
        found = interleave(
            {
                f"{name}": partial(per_second, act, processes=PROCESSES, seconds=SECONDS)
                for name, act in acts.items()
            },
            rounds=ROUNDS,
        )
        kind = "one account pays all" if is_hot else f"{ACCOUNTS} accounts"
        show(f"Transfers, {kind}, {PROCESSES} processes", found, peer=PEER)


if __name__ == "__main__":
    main()
