"""The promises asked of what changed since a clean look, instead of everything. SQL.

**The part** is what was written since: found by the transaction that wrote a row where the row
tells it, and by the time in its id or version where not; then made whole, so that a query finds
in it all that it joins: all journals of a subject, all lines of a journal, what a reversal undid.
Most queries are asked of the part as they are: its tables bear the names of the real ones and
hide them.

**Nothing is skipped.** A watermark is taken before a look begins: the oldest transaction that
still ran (`pg_snapshot_xmin`), and the roll-up's instant before which nothing will be recorded
any more. Whoever commits later has a number at or above the first and writes after the second,
however early it began; all others the look has seen whole.

A row of old that is bent in its place has no new transaction and no new time: that is found by
the next look at everything. So are the promises in `LATER`, which are about sums of all
time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from audit.tables import GUARDED
from transactions.selectors.invariants_of_witness import (
    CHANGES,
    HAS_CHANGE,
    HAS_ENTRY,
    TOUCHES,
    over,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """Where a look began: all transactions below `xact` had ended, none writes before `at`."""

    xact: int
    at: datetime

    def since(self, query: str) -> str:
        """Return a query that is about what changed since."""
        return query.replace("$xact", str(self.xact)).replace("$at", self.at.isoformat())


def watermark() -> Watermark:
    """Return the watermark of a look that begins now. To be read before its first query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, settled_at"
            " FROM transactions_rollup"
        )
        xact, at = cursor.fetchone()
    return Watermark(xact=xact, at=at)


TOUCHED: Final = """
    acts AS MATERIALIZED (
        SELECT id FROM public.audit_entry WHERE xact >= $xact
        UNION SELECT id FROM public.audit_entry WHERE id >= audit_uuid_floor('$at')
        UNION SELECT entry_id FROM public.audit_touch WHERE entry_id >= audit_uuid_floor('$at')
    ),
    touched AS MATERIALIZED (
        SELECT * FROM public.audit_touch WHERE entry_id IN (SELECT id FROM acts)
    )
"""
MONEY: Final = f"""
    {TOUCHED},
    fresh AS MATERIALIZED (
        SELECT id FROM public.transactions_journal WHERE id >= audit_uuid_floor('$at')
        UNION SELECT journal_id FROM public.transactions_posting WHERE xact >= $xact
        UNION SELECT journal_id FROM public.transactions_posting
        WHERE id >= audit_uuid_floor('$at')
    ),
    fresh_holds AS MATERIALIZED (
        SELECT row_id::uuid AS id FROM touched WHERE table_name = 'transactions_hold'
        UNION SELECT id FROM public.transactions_hold WHERE id >= audit_uuid_floor('$at')
    ),
    about AS MATERIALIZED (
        SELECT subject_ref FROM public.transactions_journal WHERE id IN (SELECT id FROM fresh)
        UNION SELECT undone.subject_ref FROM public.transactions_journal AS j
        INNER JOIN public.transactions_journal AS undone ON undone.id = j.reverses
        WHERE j.id IN (SELECT id FROM fresh)
        UNION SELECT 'transfer:' || row_id FROM touched
        WHERE table_name = 'transactions_transfer'
        UNION SELECT 'transfer:' || id FROM public.transactions_transfer
        WHERE id >= audit_uuid_floor('$at')
        UNION SELECT 'hold:' || id FROM fresh_holds
        UNION SELECT 'transfer:' || transfer_id FROM public.transactions_hold
        WHERE transfer_id IS NOT NULL AND id IN (SELECT id FROM fresh_holds)
    ),
    transactions_journal AS MATERIALIZED (
        SELECT * FROM public.transactions_journal
        WHERE subject_ref IN (SELECT subject_ref FROM about)
        UNION SELECT * FROM public.transactions_journal WHERE id IN (SELECT id FROM fresh)
    ),
    transactions_posting AS MATERIALIZED (
        SELECT * FROM public.transactions_posting WHERE journal_id IN (
            SELECT id FROM transactions_journal UNION SELECT id FROM fresh)
    ),
    transactions_journalorigin AS MATERIALIZED (
        SELECT * FROM public.transactions_journalorigin
        WHERE origin IN (SELECT origin FROM transactions_journal)
        UNION SELECT * FROM public.transactions_journalorigin
        WHERE journal_id >= audit_uuid_floor('$at')
    ),
    transactions_reversedline AS MATERIALIZED (
        SELECT * FROM public.transactions_reversedline
        WHERE journal_id IN (SELECT id FROM transactions_journal)
    ),
    transactions_transfer AS MATERIALIZED (
        SELECT * FROM public.transactions_transfer WHERE id IN (
            SELECT substr(subject_ref, 10)::uuid FROM about
            WHERE starts_with(subject_ref, 'transfer:'))
    ),
    transactions_hold AS MATERIALIZED (
        SELECT * FROM public.transactions_hold WHERE id IN (SELECT id FROM fresh_holds)
        UNION SELECT * FROM public.transactions_hold
        WHERE transfer_id IN (SELECT id FROM transactions_transfer)
    )
"""  # noqa: S608 - made of our own words
ROWS: Final = f"""
    {TOUCHED},
    changed AS MATERIALIZED (
        SELECT table_name, row_id FROM touched
        UNION {
    over("SELECT '{table}', id::text FROM public.{versions} WHERE history_date >= '$at'")
}
    ),
    audit_touch AS (SELECT * FROM touched),
    {
    ", ".join(
        f"{name} AS MATERIALIZED (SELECT * FROM public.{name} WHERE id IN ("
        f"SELECT row_id::uuid FROM changed WHERE table_name = '{table}'))"
        for table in sorted(GUARDED)
        for name in (table, table.replace("_", "_historical", 1))
    )
}
"""  # noqa: S608
# Asked of the part as they are.
OF_MONEY: Final = frozenset(
    {
        "a journal has 2 to 64 postings of its book that sum to zero in each currency",
        "a posting is of its account's book and currency",
        "all of a book sums to zero in each currency",
        "a journal has the one origin that it names, and undoes only what is there",
        "a transfer has exactly the journals that its state says",
        "a settled transfer took its amount from its account",
        "a payout that needed a second signature left only with it",
        "what one book owes another by inter-book clearing, the other is owed",
        "a journal by hand, an allocation or a conversion rests on a used approval of its own",
        "no journal was undone by more than it moved, line by line, and the tally says how far",
        "what came back of a transfer is its return, or what it says was reversed",
        "of a hold, what was posted, voided or expired and what is open is what was created",
        "what a hold says was captured left its account by the hold's own journals",
        "a payout has one hold of its amount and fee, open, paid or released as the payout is",
        "every journal was posted in a transaction that wrote an entry",
    }
)
OF_ROWS: Final = frozenset(
    {
        "a guarded row is as its newest version says",
        "a row that an entry touched without a version is there, unless an entry removed it",
    }
)
LATER: Final = frozenset(
    {
        "what is rolled up of an account is what its postings before the horizon add up to",
        "a cell that is cut is the sum of its parts",
        "a closed month says how its accounts stood, and its digest is over what it says",
        "a month is away or here, and what it brought forward is what was signed for when it left",
        "what is away of a month is, row by row, what left",
    }
)
# Asked in other words, which read what is not in the part by its index.
IN_OTHER_WORDS: Final[dict[str, str]] = {
    "a stored balance is the sum of its postings": """
        SELECT format('account %s stands at %s, its postings at %s',
            a.id, b.posted_minor, s.balance_minor)
        FROM transactions_ledgeraccount AS a
        LEFT JOIN transactions_balance AS b ON b.account_id = a.id
        LEFT JOIN ledger_stand_before(ARRAY(
            SELECT id FROM transactions_ledgeraccount WHERE keeps_balance AND id IN (
                SELECT account_id FROM transactions_posting
                UNION SELECT source_id FROM transactions_transfer
                UNION SELECT destination_id FROM transactions_transfer
                UNION SELECT row_id::uuid FROM touched WHERE table_name = 'accounts_account')
        ), 'recorded', '9999-01-01Z') AS s ON s.account_id = a.id
        WHERE s.balance_minor IS DISTINCT FROM b.posted_minor
            AND (s.account_id IS NOT NULL OR NOT a.keeps_balance)
            OR EXISTS (
                SELECT FROM transactions_posting AS p WHERE p.account_id = a.id
                    AND (p.balance_after_minor # p.account_version IS NULL) = a.keeps_balance)
    """,
    "a posting says how its account stood after it": """
        SELECT format('posting %s says %s before it, its forerunner %s', id, stood, stood_last)
        FROM (
            SELECT p.id, p.is_fresh, p.balance_after_minor - p.amount_minor AS stood,
                lag(p.balance_after_minor, 1, coalesce(f.balance_minor, 0))
                    OVER (PARTITION BY p.account_id ORDER BY p.account_version) AS stood_last
            FROM (
                SELECT DISTINCT ON (w.account_id) w.account_id, w.id
                FROM transactions_posting AS w
                INNER JOIN transactions_ledgeraccount AS a ON a.id = w.account_id
                WHERE a.keeps_balance AND (w.xact >= $xact OR w.id >= audit_uuid_floor('$at'))
                ORDER BY w.account_id, w.id
            ) AS since
            CROSS JOIN LATERAL (
                SELECT *, true AS is_fresh FROM public.transactions_posting
                WHERE account_id = since.account_id AND id >= since.id
                UNION ALL (
                    SELECT *, false FROM public.transactions_posting
                    WHERE account_id = since.account_id AND id < since.id
                    ORDER BY id DESC LIMIT 1
                )
            ) AS p
            LEFT JOIN ledger_brought_forward() AS f ON f.account_id = p.account_id
        ) AS lines
        WHERE is_fresh AND stood IS DISTINCT FROM stood_last
    """,
    "a transfer has one origin and no origin has two": """
        SELECT format('origin "%s" has %s transfers', origin, count(*))
        FROM public.transactions_transfer
        WHERE origin IN (SELECT origin FROM transactions_transfer)
        GROUP BY origin HAVING count(*) > 1 OR origin = ''
    """,
    "what is reserved on an account is what is left of its holds": """
        SELECT format('account %s has %s reserved, of its holds %s are left',
            b.account_id, b.pending_minor, coalesce(h.total, 0))
        FROM transactions_balance AS b
        CROSS JOIN LATERAL (
            SELECT sum(amount_minor - captured_minor - released_minor) AS total
            FROM public.transactions_hold WHERE account_id = b.account_id AND state = 'open'
        ) AS h
        WHERE b.pending_minor <> coalesce(h.total, 0) AND b.account_id IN (
            SELECT account_id FROM transactions_posting
            UNION SELECT account_id FROM transactions_hold
        )
    """,
    "every change was witnessed in the act that made it, and what was witnessed was changed": f"""
        SELECT CASE
            WHEN s.outcome <> 'done' OR NOT s.is_of_one_act
                THEN format('entry %s touches %s %s and is %s',
                    s.entry_id, s.table_name, s.row_id, s.outcome)
            ELSE format('entry %s changed %s %s in words only',
                s.entry_id, s.table_name, s.row_id)
            END
        FROM ({TOUCHES.replace("FROM audit_touch", "FROM touched")}) AS s
        WHERE s.outcome <> 'done' OR NOT s.is_of_one_act
            OR s.id IS NOT NULL AND NOT ({HAS_CHANGE})
        UNION ALL
        SELECT format('%s %s changed at %s unseen', c.table_name, c.id, c.history_date)
        FROM ({CHANGES}) AS c
        WHERE c.history_date >= '$at' AND NOT ({HAS_ENTRY})
    """,  # noqa: S608
}


def of_changes(promise: str, *, sql: str) -> tuple[str, str]:
    """Return how a promise is asked of what changed: the part it is asked of, and the query.

    An empty query where it is asked of everything only; an empty part where it is asked of
    everything always, since its tables are small.
    """
    if promise in LATER:
        return "", ""
    if promise in OF_ROWS:
        return ROWS, sql
    if promise in OF_MONEY or promise in IN_OTHER_WORDS:
        return MONEY, IN_OTHER_WORDS.get(promise, sql)
    return "", sql
