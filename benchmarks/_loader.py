"""Fills the books of one house with a long past, below the commands: as the owner, triggers off.

What is loaded is what the commands would have left in the books (journals, origins, postings with
running balances, balances); transfers, letters and entries are not. Everything follows from a
line's number. In eight rounds of ten each account pays another and is paid, in the ninth it pays
the book's system account, in the tenth it is paid back: after ten rounds all stand as before.
The house's openings, which commands posted just now, come first by version and last by clock.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import psycopg

from benchmarks._databases import GROWN, make_database, our_database
from benchmarks._house import FUNDS_MINOR, House, build
from transactions.models import LedgerAccount

POSTINGS: Final = int(os.environ.get("POSTINGS", "20000000"))
ROUNDS_A_BLOCK: Final = 10
LINES_A_BLOCK: Final = 18  # of each account
JOURNALS_A_STATEMENT: Final = 500_000
TABLES: Final = ("transactions_posting", "transactions_journal", "transactions_journalorigin")

SPAN: Final = """
    SELECT date_trunc('month', now()) - interval '1 month' + interval '1 hour',
        now() - interval '1 hour'
"""
FILL: Final = """
WITH drawn AS MATERIALIZED (
    SELECT n, n %% %(size)s AS place, n / %(size)s %% 10 AS phase,
        1 + (n / %(size)s) %% (%(size)s - 1) AS step,
        1 + n / %(size)s / 10 * %(lines)s + least(n / %(size)s %% 10, 8) * 2
            + (n / %(size)s %% 10 = 9)::integer AS version,
        %(begins)s + (n + 1) * %(every)s::interval AS at,
        uuidv7(%(begins)s + (n + 1) * %(every)s::interval - clock_timestamp()) AS id
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
), journals AS (
    INSERT INTO transactions_journal
        (id, book_id, purpose, subject_ref, origin, trace_id, occurred_at, recorded_at)
    SELECT id, %(book)s, 'internal', 'transfer:' || id, 'transfer:' || id || ':settled', '', at, at
    FROM drawn ORDER BY n
), origins AS (
    INSERT INTO transactions_journalorigin (origin, journal_id)
    SELECT 'transfer:' || id || ':settled', id FROM drawn ORDER BY n
), lines AS (
    SELECT d.id, d.n, d.at, l.is_payer, l.amount,
        CASE WHEN l.place < 0 THEN %(system)s::uuid ELSE (%(accounts)s::uuid[])[l.place + 1] END
            AS account_id,
        CASE WHEN l.place >= 0 THEN d.version + 1 + (d.phase < 8 AND NOT l.is_first)::integer END
            AS version,
        CASE
            WHEN l.place < 0 THEN NULL
            WHEN d.phase = 8 OR d.phase < 8 AND l.is_first THEN %(funds)s + l.amount
            ELSE %(funds)s
        END AS after
    FROM drawn AS d
    CROSS JOIN LATERAL (
        SELECT CASE d.phase WHEN 9 THEN -1 ELSE d.place END AS payer,
            CASE d.phase
                WHEN 8 THEN -1 WHEN 9 THEN d.place ELSE (d.place + d.step) %% %(size)s
            END AS payee
    ) AS sides
    CROSS JOIN LATERAL (VALUES
        (true, sides.payer, -1,
            d.place < (d.place - d.step + %(size)s) %% %(size)s),
        (false, sides.payee, 1, d.place < (d.place + d.step) %% %(size)s)
    ) AS l (is_payer, place, amount, is_first)
)
INSERT INTO transactions_posting (id, journal_id, book_id, account_id, amount_minor, currency,
    balance_after_minor, account_version, occurred_at)
SELECT uuidv7(at - clock_timestamp()), id, %(book)s, account_id, amount, 'EUR', after, version, at
FROM lines ORDER BY n, is_payer DESC
"""
STAND: Final = """
    UPDATE transactions_balance SET version = %(version)s WHERE account_id = ANY(%(accounts)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A house with its opening alone in our own database, and with a long past in `grown`."""

    house: House
    system: LedgerAccount
    grown: str
    begins_at: datetime
    ends_at: datetime


@cache
def past() -> Past:
    """Make the house, and a clone of our database where it has POSTINGS behind it; once a run."""
    house = build()
    system = LedgerAccount.objects.get(book_id=house.book_id, keeps_balance=False)
    address = make_database(GROWN, template=our_database())
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("SET TIME ZONE 'UTC'")
        server.execute("SET synchronous_commit = off")
        begins_at, ends_at = server.execute(SPAN).fetchone() or (None, None)
        found = Past(house=house, system=system, grown=GROWN, begins_at=begins_at, ends_at=ends_at)
        _load(server, past=found)
    return found


def _load(server: psycopg.Connection, *, past: Past) -> None:
    """Write the past block by block, without triggers, and tell how long it took."""
    began = time.monotonic()
    accounts = sorted(account.pk for account in past.house.accounts)
    size = len(accounts)
    blocks = -(-POSTINGS // (2 * size * ROUNDS_A_BLOCK))
    journals = blocks * ROUNDS_A_BLOCK * size
    values = {
        "accounts": accounts,
        "book": past.house.book_id,
        "system": past.system.pk,
        "size": size,
        "lines": LINES_A_BLOCK,
        "funds": FUNDS_MINOR,
        "begins": past.begins_at,
        "every": (past.ends_at - past.begins_at) / journals,
        "version": 1 + blocks * LINES_A_BLOCK,
    }
    with _triggers_off(server):
        for first in range(0, journals, JOURNALS_A_STATEMENT):
            last = min(first + JOURNALS_A_STATEMENT, journals) - 1
            server.execute(FILL, values | {"first": first, "last": last})
        server.execute(STAND, values)
    for table in TABLES:
        server.execute(f"VACUUM (ANALYZE) {table}")
    print(f"{2 * journals:,} postings loaded in {time.monotonic() - began:,.0f} s")


@contextmanager
def _triggers_off(server: psycopg.Connection) -> Iterator[None]:
    """Lift the tables' own triggers for the owner's sake, and put them back."""
    for table in TABLES:
        server.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in TABLES:
        server.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
