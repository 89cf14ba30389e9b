"""Several promises at once, from one pass over the tables, where all of them are kept. SQL.

Most promises say that two lists are the same, or that every part of a list adds up. A glance adds
up keys of 64 random bits instead of joining the lists: equal lists give equal sums, and unequal
ones do not, but for a chance of one in a billion where amounts are summed (keys of 30 bits) and
less where rows are. The keys are drawn anew for every look, so nobody can choose rows that
deceive it, and what one look overlooked, the next one finds. A glance only ever vouches: what it
does not vouch for is asked by the promise's own query, which names what is wrong.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

from transactions.selectors.invariants_of_books import AT_HOME, STORED
from transactions.selectors.invariants_of_clocks import ROLLED_UP
from transactions.selectors.invariants_of_witness import GUARDED_NAMES, over

SEED_BITS: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One query whose one row says of each of `promises`, in their order, whether it is kept."""

    promises: tuple[str, ...]
    sql: str

    def drawn(self) -> str:
        """Return the query with keys that nobody could have known, and with the strays."""
        query = self.sql.replace("$seed", str(secrets.randbits(SEED_BITS)))
        return query.replace("$strays", _strays()) if "$strays" in query else query


# A journal of a transfer, known by the transfer. Fees are not what it moved; and of a stray, a
# journal whose transfer's first one was put away, not all is here.
SUBJECT: Final = """
    CASE WHEN starts_with(subject_ref, 'transfer:') AND id <> ALL ('$strays'::uuid [])
        AND purpose <> CASE WHEN reverses IS NULL THEN 'fee' ELSE 'fee_reversal' END
        THEN hashtextextended(subject_ref, $seed) END
"""
STRAYS: Final = """
    SELECT coalesce(array_agg(j.id), '{}')::text FROM transactions_journal AS j
    INNER JOIN transactions_transfer AS t ON j.subject_ref = 'transfer:' || t.id
    WHERE t.id IN (SELECT ledger_transfers_away())
"""
# Amounts times weights of 30 bits, in halves that fit into 64. A journal's weight and subject are
# made before the join, once a journal. IS TRUE: an index on journals would find nearly all rows.
LINES: Final = f"""
    SELECT account_id, book_id, currency, count(amount_minor) AS lines, sum(amount_minor) AS total,
        count(balance_after_minor # account_version) AS told,
        bool_and((book_id = journal_book AND amount_minor <> 0) IS TRUE) AS are_whole,
        coalesce(sum((amount_minor >> 32) * weight), 0) * 4294967296
            + coalesce(sum((amount_minor & 4294967295) * weight), 0) AS off,
        sum(amount_minor) FILTER (WHERE is_rolled_up) AS rolled_up,
        count(*) FILTER (WHERE is_rolled_up) AS rolled_up_lines,
        sum(subject) FILTER (WHERE amount_minor < 0 AND NOT is_back) AS there,
        sum(hashint8extended(amount_minor, uuid_hash_extended(account_id, subject)))
            FILTER (WHERE amount_minor < 0 AND NOT is_back) AS took,
        sum(amount_minor::numeric * (subject >> 34))
            FILTER (WHERE amount_minor > 0 AND is_back) AS came_back
    FROM (
        SELECT p.*, j.book_id AS journal_book, j.weight, j.subject, j.is_back,
            (p.xact, p.id) < ((SELECT xact FROM horizon), (SELECT id FROM horizon))
                OR p.id <= (SELECT base_id FROM horizon) AS is_rolled_up
        FROM (
            SELECT * FROM transactions_posting
            WHERE (journal_id >= (SELECT before FROM away)) IS TRUE
        ) AS p
        FULL JOIN (
            SELECT id, book_id, reverses IS NOT NULL AS is_back, {SUBJECT} AS subject,
                coalesce(uuid_hash_extended(id, $seed), 0) >> 34 AS weight
            FROM transactions_journal
        ) AS j ON j.id = p.journal_id
    ) AS w
    GROUP BY account_id, book_id, currency
"""  # noqa: S608 - made of our own words
PLACED: Final = """
    SELECT account_id, book_id, currency, lines FROM lines WHERE account_id IS NOT NULL
"""
SUMS: Final = """
    SELECT account_id, sum(total) AS total, sum(lines) AS lines, sum(told) AS told
    FROM lines GROUP BY account_id
"""
ROLLED_UP_SUMS: Final = """
    SELECT account_id, sum(rolled_up) AS total, sum(rolled_up_lines) AS lines
    FROM lines WHERE rolled_up_lines > 0 GROUP BY account_id
"""
NAMED: Final = """
    coalesce(sum(uuid_hash_extended({id}, uuid_hash_extended(
        coalesce(reverses, '00000000-0000-0000-0000-000000000000'),
        hashtextextended(origin, $seed)))), 0) AS named
"""
JOURNALS: Final = f"""
    SELECT count(*) AS journals, {NAMED.format(id="id")} FROM transactions_journal
"""  # noqa: S608
UNDOING: Final = f"""
    SELECT reverses, {SUBJECT} AS subject FROM transactions_journal WHERE reverses IS NOT NULL
"""  # noqa: S608
TRANSFERS: Final = """
    SELECT coalesce(bool_and(origin <> ''), true) AS have_origins,
        coalesce(bool_and((state = 'reversed') = (reversed_minor = amount_minor)), true)
            AS say_reversed,
        coalesce(sum(ref) FILTER (WHERE is_there), 0) AS there,
        coalesce(sum(ref) FILTER (WHERE is_back), 0) AS back,
        coalesce(sum(hashint8extended(-amount_minor, uuid_hash_extended(source_id, ref)))
            FILTER (WHERE is_there), 0) AS took,
        coalesce(sum(
            (CASE state WHEN 'returned' THEN amount_minor ELSE reversed_minor END)::numeric
            * (ref >> 34)) FILTER (WHERE is_back), 0) AS came_back
    FROM (
        SELECT *, state IN ('settled', 'returned', 'reversed') AND NOT is_away AS is_there,
            (state = 'returned' OR reversed_minor <> 0) AND NOT is_away AS is_back
        FROM (
            SELECT *, hashtextextended('transfer:' || id, $seed) AS ref,
                id IN (SELECT ledger_transfers_away()) AS is_away
            FROM transactions_transfer
        ) AS known
    ) AS t
"""
# An index that says so is proof enough: after a double it could not be made again.
IS_ONCE: Final = """
    SELECT FROM pg_index AS x
    WHERE x.indrelid = 'transactions_transfer'::regclass AND x.indisunique AND x.indisvalid
        AND x.indpred IS NULL AND x.indnkeyatts = 1 AND x.indkey[0] = (
            SELECT attnum FROM pg_attribute WHERE attrelid = x.indrelid AND attname = 'origin')
"""
# Lines beyond two a journal: where all of them in one journal would not be too many, none is.
NOT_TOO_LONG: Final = """
    CASE WHEN taken.lines - 2 * journals.journals <= 62 THEN true
        ELSE coalesce((SELECT max(many) <= 64 FROM (
            SELECT count(*) AS many FROM transactions_posting
            GROUP BY uuid_hash_extended(journal_id, $seed)
        ) AS lengths), true) END
"""
OF_BOOKS: Final = Glance(
    promises=(
        "a journal has 2 to 64 postings of its book that sum to zero in each currency",
        "all of a book sums to zero in each currency",
        "a posting is of its account's book and currency",
        "a stored balance is the sum of its postings",
        "a transfer has one origin and no origin has two",
        "a journal has the one origin that it names, and undoes only what is there",
        "a transfer has exactly the journals that its state says",
        "a settled transfer took its amount from its account",
        "what came back of a transfer is its return, or what it says was reversed",
        "what is rolled up of an account is what its postings before the horizon add up to",
    ),
    sql=f"""
    WITH horizon AS MATERIALIZED (SELECT * FROM ledger_horizon()),
    away AS MATERIALIZED (SELECT * FROM ledger_archived()),
    lines AS MATERIALIZED ({LINES}), undoing AS MATERIALIZED ({UNDOING}),
    journals AS ({JOURNALS}), transfers AS ({TRANSFERS}),
    origins AS (
        SELECT {NAMED.format(id="journal_id")} FROM transactions_journalorigin
        WHERE (journal_id >= (SELECT before FROM away)) IS TRUE
    )
    SELECT so.balance,
        so.balance AND NOT EXISTS (
            SELECT FROM ledger_brought_forward()
            GROUP BY book_id, currency HAVING sum(balance_minor) <> 0),
        NOT EXISTS ({AT_HOME.format(placed=PLACED)}), NOT EXISTS ({STORED.format(sums=SUMS)}),
        transfers.have_origins AND EXISTS ({IS_ONCE}),
        journals.named = origins.named AND NOT EXISTS (
            SELECT FROM undoing AS j WHERE j.reverses >= (SELECT before FROM away)
                AND NOT EXISTS (SELECT FROM transactions_journal AS u WHERE u.id = j.reverses)),
        so.balance AND so.are_placed, so.balance AND so.are_placed AND transfers.took = taken.took,
        transfers.say_reversed AND transfers.came_back = taken.came_back,
        NOT EXISTS ({ROLLED_UP.format(sums=ROLLED_UP_SUMS)})
    FROM journals, transfers, origins, (
        SELECT coalesce(bool_and(are_whole), true) AS are_whole, coalesce(sum(lines), 0) AS lines,
            coalesce(sum(there), 0) AS there, coalesce(sum(took), 0) AS took,
            coalesce(sum(came_back), 0) AS came_back
        FROM lines
    ) AS taken
    CROSS JOIN LATERAL (
        SELECT taken.are_whole AND {NOT_TOO_LONG} AND NOT EXISTS (
                SELECT FROM lines GROUP BY currency HAVING sum(off) <> 0) AS balance,
            transfers.there = taken.there AND transfers.back = (
                SELECT coalesce(sum(subject), 0) FROM (SELECT DISTINCT subject FROM undoing) AS u
            ) AS are_placed
    ) AS so
    """,  # noqa: S608
)
CHANGES: Final = over(
    "SELECT hashtextextended(id::text,"
    " hashtextextended(history_actor, $seed) # hashtextextended('{table}', $seed)) AS who,"
    " history_date FROM {versions}"
)
# To unpack what cannot be '{}', for it is too long, would cost more than all else of a touch.
IS_CHANGE: Final = """
    CASE WHEN pg_column_size(t.after) > 8 THEN true ELSE coalesce(t.after <> '{}', false) END
"""
# A row and an actor are one key of 64 bits; coalesce has it made before the join, or every touch
# would be carried through the join with all that it tells.
OF_WITNESS: Final = Glance(
    promises=(
        "every change was witnessed in the act that made it, and what was witnessed was changed",
    ),
    sql=f"""
    SELECT coalesce(bool_and(
        s.who IS NOT NULL AND NOT s.is_false AND (c.who IS NOT NULL OR NOT s.is_change)), true)
    FROM (
        SELECT coalesce(hashtextextended(t.row_id,
                e.actor # hashtextextended(t.table_name, $seed)), 0) AS who,
            t.table_name IN ({GUARDED_NAMES}) AND {IS_CHANGE} AS is_change,
            coalesce(e.outcome <> 'done' OR e.xact <> t.xact, true) AS is_false,
            e.xact_at, e.recorded_at
        FROM audit_touch AS t
        LEFT JOIN (
            SELECT id, xact, xact_at, recorded_at, outcome,
                hashtextextended(actor_ref, $seed) AS actor
            FROM audit_entry
        ) AS e ON e.id = t.entry_id
    ) AS s
    FULL JOIN ({CHANGES}) AS c
        ON c.who = s.who AND c.history_date BETWEEN s.xact_at AND s.recorded_at
    """,  # noqa: S608
)
GLANCES: Final = (OF_BOOKS, OF_WITNESS)


def vouched() -> Mapping[str, int]:
    """Return the promises that a glance found kept, each with its share of the milliseconds."""
    kept: dict[str, int] = {}
    for glance in GLANCES:
        began = time.monotonic_ns()
        with connection.cursor() as cursor:
            cursor.execute(glance.drawn())
            answers = cursor.fetchone()
        share = (time.monotonic_ns() - began) // 1_000_000 // len(glance.promises)
        kept |= {
            promise: share
            for promise, is_kept in zip(glance.promises, answers, strict=True)
            if is_kept
        }
    return kept


def _strays() -> str:
    """Return the strays as an array, told beforehand: cores cannot share a query's own list."""
    with connection.cursor() as cursor:
        cursor.execute(STRAYS)
        return str(cursor.fetchone()[0])
