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

from transactions.selectors.invariants_of_witness import GUARDED_NAMES, over

SEED_BITS: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One query whose one row says of each of `promises`, in their order, whether it is kept."""

    promises: tuple[str, ...]
    sql: str

    def drawn(self) -> str:
        """Return the query with keys that nobody could have known."""
        return self.sql.replace("$seed", str(secrets.randbits(SEED_BITS)))


def _total(weight: str, *, where: str = "true") -> str:
    """Return the exact sum of amounts times 30-bit weights, in halves that fit into 64 bits."""
    return (
        f"coalesce(sum((w.amount_minor >> 32) * {weight}) FILTER (WHERE {where}), 0) * 4294967296"
        f" + coalesce(sum((w.amount_minor & 4294967295) * {weight}) FILTER (WHERE {where}), 0)"
    )


LINES: Final = f"""
    SELECT count(w.id) AS lines,
        coalesce(bool_and((w.journal_book = w.book_id AND w.amount_minor <> 0) IS TRUE), true)
            AS are_whole,
        coalesce(bool_and((a.book_id = w.book_id AND a.currency = w.currency) IS TRUE), true)
            AS are_at_home,
        coalesce(bool_and((w.is_told = a.keeps_balance) IS TRUE), true) AS are_told,
        {_total("w.by_journal")} AS off,
        {_total("w.by_account", where="a.keeps_balance")} AS kept,
        {_total("w.by_account", where="w.is_rolled_up")} AS rolled_up,
        coalesce(sum(w.by_account) FILTER (WHERE w.is_rolled_up), 0) AS rolled_up_lines,
        coalesce(sum(hashint8extended(w.amount_minor, uuid_hash_extended(w.account_id, w.subject)))
            FILTER (WHERE w.amount_minor < 0 AND w.is_of_transfer AND NOT w.is_back), 0) AS took,
        coalesce(sum(w.amount_minor::numeric * (w.subject >> 34))
            FILTER (WHERE w.amount_minor > 0 AND w.is_of_transfer AND w.is_back), 0) AS came_back
    FROM (
        SELECT p.id, j.book_id AS journal_book, p.book_id, p.account_id, p.currency,
            p.amount_minor, j.reverses IS NOT NULL AS is_back,
            p.balance_after_minor IS NOT NULL AND p.account_version IS NOT NULL AS is_told,
            (p.xact, p.id) < ((SELECT xact FROM horizon), (SELECT id FROM horizon))
                OR p.id <= (SELECT base_id FROM horizon) AS is_rolled_up,
            starts_with(j.subject_ref, 'transfer:') AND j.id NOT IN (SELECT id FROM strays)
                AS is_of_transfer,
            hashtextextended(j.subject_ref, $seed) AS subject,
            uuid_hash_extended(p.journal_id, hashtextextended(p.currency, $seed)) >> 34
                AS by_journal,
            uuid_hash_extended(p.account_id, $seed) >> 34 AS by_account
        FROM (
            SELECT * FROM transactions_posting WHERE journal_id >= (SELECT before FROM away)
        ) AS p
        FULL JOIN transactions_journal AS j ON j.id = p.journal_id
    ) AS w
    LEFT JOIN transactions_ledgeraccount AS a ON a.id = w.account_id
"""  # noqa: S608 - made of our own words
NAMED: Final = """
        coalesce(sum(uuid_hash_extended({id}, uuid_hash_extended(
            coalesce(reverses, '00000000-0000-0000-0000-000000000000'),
            hashtextextended(origin, $seed)))), 0) AS named
"""
JOURNALS: Final = f"""
    SELECT count(*) AS journals, {NAMED.format(id="id")},
        coalesce(sum(hashtextextended(subject_ref, $seed))
            FILTER (WHERE reverses IS NULL AND starts_with(subject_ref, 'transfer:')
                AND id NOT IN (SELECT id FROM strays)), 0) AS there
    FROM transactions_journal
"""  # noqa: S608
BACK: Final = """
    SELECT coalesce(sum(hashtextextended(subject_ref, $seed)), 0) AS subjects FROM (
        SELECT DISTINCT subject_ref FROM transactions_journal
        WHERE reverses IS NOT NULL AND starts_with(subject_ref, 'transfer:')
            AND id NOT IN (SELECT id FROM strays)
    ) AS back
"""
TRANSFERS: Final = """
    SELECT coalesce(bool_and(origin <> ''), true) AS have_origins,
        coalesce(bool_and((state = 'reversed') = (reversed_minor = amount_minor)), true)
            AS say_reversed,
        coalesce(sum(hashtextextended(ref, $seed)) FILTER (WHERE is_there), 0) AS there,
        coalesce(sum(hashtextextended(ref, $seed)) FILTER (WHERE is_back), 0) AS back,
        coalesce(sum(hashint8extended(-amount_minor,
            uuid_hash_extended(source_id, hashtextextended(ref, $seed))))
            FILTER (WHERE is_there), 0) AS took,
        coalesce(sum(
            (CASE state WHEN 'returned' THEN amount_minor ELSE reversed_minor END)::numeric
            * (hashtextextended(ref, $seed) >> 34)) FILTER (WHERE is_back), 0) AS came_back
    FROM (
        SELECT *, 'transfer:' || id AS ref,
            state IN ('settled', 'returned', 'reversed') AND NOT is_away AS is_there,
            (state = 'returned' OR reversed_minor <> 0) AND NOT is_away AS is_back
        FROM (
            SELECT *, id IN (SELECT ledger_transfers_away()) AS is_away
            FROM transactions_transfer
        ) AS known
    ) AS t
"""
BALANCES: Final = f"""
    SELECT {_total("w.by_account")} AS kept,
        coalesce(bool_and(w.keeps_balance = (w.stored_for IS NOT NULL)), true) AS are_there
    FROM (
        SELECT coalesce(b.posted_minor, 0) AS amount_minor, b.account_id AS stored_for,
            a.keeps_balance, uuid_hash_extended(a.id, $seed) >> 34 AS by_account
        FROM transactions_ledgeraccount AS a
        LEFT JOIN transactions_balance AS b ON b.account_id = a.id
    ) AS w
"""  # noqa: S608
# Journals of transfers whose first one was put away: of such a transfer, not all is here.
STRAYS: Final = """
    SELECT j.id FROM transactions_journal AS j
    INNER JOIN transactions_transfer AS t ON j.subject_ref = 'transfer:' || t.id
    WHERE t.id IN (SELECT ledger_transfers_away())
"""
FORWARD: Final = f"""
    SELECT {_total("w.by_account", where="w.keeps_balance")} AS kept,
        {_total("w.by_book")} AS off
    FROM (
        SELECT f.balance_minor AS amount_minor, a.keeps_balance,
            uuid_hash_extended(a.id, $seed) >> 34 AS by_account,
            uuid_hash_extended(f.book_id, hashtextextended(f.currency, $seed)) >> 34 AS by_book
        FROM ledger_brought_forward() AS f
        INNER JOIN transactions_ledgeraccount AS a ON a.id = f.account_id
    ) AS w
"""  # noqa: S608
MOVEMENTS: Final = f"""
    SELECT clock, {_total("w.by_account")} AS total, sum(w.postings * w.by_account) AS lines
    FROM (
        SELECT clock, amount_minor, postings, uuid_hash_extended(account_id, $seed) >> 34
            AS by_account
        FROM transactions_movement WHERE grain = 0
    ) AS w
    GROUP BY clock
"""  # noqa: S608
# An index that says so is proof enough: after a double it could not be made again.
IS_ONCE: Final = """
    SELECT FROM pg_index AS x
    WHERE x.indrelid = 'transactions_transfer'::regclass AND x.indisunique AND x.indisvalid
        AND x.indpred IS NULL AND x.indnkeyatts = 1 AND x.indkey[0] = (
            SELECT attnum FROM pg_attribute WHERE attrelid = x.indrelid AND attname = 'origin')
"""
# Lines beyond two a journal: where all of them in one journal would not be too many, none is.
NOT_TOO_LONG: Final = """
    CASE WHEN lines.lines - 2 * journals.journals <= 62 THEN true
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
    away AS MATERIALIZED (SELECT * FROM ledger_archived()), strays AS MATERIALIZED ({STRAYS}),
    lines AS ({LINES}), journals AS ({JOURNALS}), back AS ({BACK}), transfers AS ({TRANSFERS}),
    balances AS ({BALANCES}), movements AS ({MOVEMENTS}),
    forward AS ({FORWARD}),
    origins AS (
        SELECT {NAMED.format(id="journal_id")} FROM transactions_journalorigin
        WHERE journal_id >= (SELECT before FROM away)
    )
    SELECT so.balance, so.balance AND forward.off = 0, lines.are_at_home,
        lines.are_told AND balances.are_there AND lines.kept + forward.kept = balances.kept,
        transfers.have_origins AND EXISTS ({IS_ONCE}),
        journals.named = origins.named AND NOT EXISTS (
            SELECT FROM transactions_journal AS j WHERE j.reverses >= (SELECT before FROM away)
                AND NOT EXISTS (SELECT FROM transactions_journal AS u WHERE u.id = j.reverses)),
        so.are_placed, so.are_placed AND transfers.took = lines.took,
        transfers.say_reversed AND transfers.came_back = lines.came_back,
        NOT horizon.is_ours OR NOT EXISTS (
            SELECT FROM (VALUES ('occurred'), ('recorded')) AS c (clock)
            LEFT JOIN movements AS m ON m.clock = c.clock
            WHERE coalesce(m.total, 0) <> lines.rolled_up
                OR coalesce(m.lines, 0) <> lines.rolled_up_lines)
    FROM horizon, lines, journals, back, transfers, balances, forward, origins
    CROSS JOIN LATERAL (
        SELECT lines.are_whole AND lines.off = 0 AND {NOT_TOO_LONG} AS balance,
            transfers.there = journals.there AND transfers.back = back.subjects AS are_placed
    ) AS so
    """,  # noqa: S608
)
CHANGES: Final = over(
    "SELECT hashtextextended(id::text,"
    " hashtextextended(history_actor, $seed) # hashtextextended('{table}', $seed)) AS who,"
    " history_date FROM {versions}"
)
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
            coalesce(t.after <> '{{}}' AND t.table_name IN ({GUARDED_NAMES}), false) AS is_change,
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
