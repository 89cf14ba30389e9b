"""The correctness riders: what must be true of the books after a measurement, from rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from benchmarks._databases import migrator_url

SUMS: Final = """
    SELECT format('%%s of book %%s is off by %%s', currency, book_id, sum(amount_minor))
    FROM transactions_posting WHERE book_id = ANY(%(books)s)
    GROUP BY book_id, currency HAVING sum(amount_minor) <> 0
"""
RUNNING: Final = """
    SELECT format('account %%s is wrong from version %%s on', account_id, min(account_version))
    FROM (
        SELECT account_id, account_version, balance_after_minor,
            sum(amount_minor) OVER (PARTITION BY account_id ORDER BY account_version) AS summed,
            row_number() OVER (PARTITION BY account_id ORDER BY account_version) AS place
        FROM transactions_posting
        WHERE book_id = ANY(%(books)s) AND account_version IS NOT NULL
    ) AS lines
    WHERE balance_after_minor <> summed OR account_version <> place
    GROUP BY account_id
"""
STORED: Final = """
    SELECT format('account %%s stands at %%s, its postings at %%s', b.account_id, b.posted_minor,
        sum(p.amount_minor))
    FROM transactions_balance AS b
    INNER JOIN transactions_posting AS p ON p.account_id = b.account_id
    WHERE b.book_id = ANY(%(books)s)
    GROUP BY b.account_id HAVING b.posted_minor <> sum(p.amount_minor)
"""
TWICE: Final = """
    SELECT format('transfer %%s has %%s journals', t.id, count(j.id))
    FROM transactions_transfer AS t
    LEFT JOIN transactions_journal AS j ON j.subject_ref = 'transfer:' || t.id
    WHERE t.book_id = ANY(%(books)s)
    GROUP BY t.id HAVING count(j.id) <> 1
    UNION ALL
    SELECT format('origin %%s has %%s transfers', origin, count(*))
    FROM transactions_transfer WHERE book_id = ANY(%(books)s)
    GROUP BY origin HAVING count(*) > 1
"""
UNWITNESSED: Final = """
    SELECT format('transfer %%s has %%s entries', t.id, count(h.entry_id))
    FROM transactions_transfer AS t
    LEFT JOIN audit_touch AS h
        ON h.row_id = t.id::text AND h.table_name = 'transactions_transfer'
    WHERE t.book_id = ANY(%(books)s)
    GROUP BY t.id HAVING count(h.entry_id) <> 1
"""
TOTAL: Final = "SELECT sum(posted_minor) FROM transactions_balance WHERE book_id = ANY(%s)"
COUNT: Final = "SELECT count(*) FROM transactions_transfer WHERE book_id = ANY(%s)"
LINES_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rider:
    """The books of some houses as they stood when a measurement began."""

    books: Sequence[UUID]
    total_minor: int
    transfers: int
    address: str

    @classmethod
    def mount(cls, books: Sequence[UUID], *, database: str = "") -> "Rider":
        """Note what the books hold, in our database or in another."""
        address = migrator_url(database=database)
        with psycopg.connect(address) as server:
            return cls(
                books=books,
                total_minor=_number(server, TOTAL, books=books),
                transfers=_number(server, COUNT, books=books),
                address=address,
            )

    def wrong(self, *, done: int | None = None, moved_minor: int = 0) -> list[str]:
        """Return what is wrong now, after `done` transfers were told to their callers as done.

        `moved_minor` is what should have come in from system accounts meanwhile.
        """
        with psycopg.connect(self.address) as server:
            total = _number(server, TOTAL, books=self.books) - moved_minor
            transfers = _number(server, COUNT, books=self.books) - self.transfers
            wrong = [
                line
                for query in (SUMS, RUNNING, STORED, TWICE, UNWITNESSED)
                for (line,) in server.execute(query, {"books": self.books}).fetchmany(LINES_MAX)
            ]
        if total != self.total_minor:
            wrong.append(f"the accounts held {self.total_minor} and hold {total}")
        if done is not None and transfers != done:
            wrong.append(f"{done} transfers were told as done, {transfers} are there")
        return wrong


def _number(server: psycopg.Connection, query: str, *, books: Sequence[UUID]) -> int:
    found = server.execute(query, [list(books)]).fetchone()
    return int(found[0] or 0) if found else 0
