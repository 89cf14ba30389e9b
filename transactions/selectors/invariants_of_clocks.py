"""The invariants of what is derived from postings: roll-ups and closed months. SQL only."""

from typing import Final

# Of an account: what its postings before the horizon add up to, and how many there are.
SUMS: Final = """
    SELECT w.account_id, sum(w.amount_minor) AS total, count(*) AS lines
    FROM transactions_posting AS w, ledger_horizon() AS h
    WHERE ((w.xact, w.id) < (h.xact, h.id) OR w.id <= h.base_id)
        AND w.journal_id >= (SELECT before FROM ledger_archived())
    GROUP BY w.account_id
"""
ROLLED_UP: Final = """
    SELECT format('account %s by %s: %s rolled up, %s posted',
        coalesce(m.account_id, p.account_id), m.clock, m.total, p.total)
    FROM (
        SELECT account_id, clock, sum(amount_minor) AS total, sum(postings) AS lines
        FROM transactions_movement WHERE grain = 0 GROUP BY account_id, clock
    ) AS m
    FULL JOIN ({sums}) AS p ON p.account_id = m.account_id
    WHERE (SELECT h.is_ours FROM ledger_horizon() AS h)
        AND (m.total IS DISTINCT FROM p.total OR m.lines IS DISTINCT FROM p.lines)
"""

CLOCKS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L3",
        "what is rolled up of an account is what its postings before the horizon add up to",
        ROLLED_UP.format(sums=SUMS),
    ),
    (
        "L3",
        "a cell that is cut is the sum of its parts",
        """
        SELECT format('account %s by %s: the cell from %s holds %s, its parts %s',
            m.account_id, m.clock, m.begins_at, m.amount_minor, parts.total)
        FROM transactions_movement AS m
        CROSS JOIN LATERAL (
            SELECT sum(s.amount_minor) AS total, sum(s.postings) AS lines
            FROM transactions_movement AS s
            WHERE s.account_id = m.account_id AND s.clock = m.clock AND s.grain = m.grain + 1
                AND s.begins_at >= m.begins_at AND s.begins_at < date_add(
                    m.begins_at, ('1 ' || ledger_grain(m.grain))::interval, 'UTC')
        ) AS parts
        WHERE m.is_cut
            AND (parts.total, parts.lines) IS DISTINCT FROM (m.amount_minor, m.postings)
        """,
    ),
    (
        "L3",
        "a closed month says how its accounts stood, and its digest is over what it says",
        """
        SELECT format('account %s stood at %s at the end of %s, not at %s',
            b.account_id, s.balance_minor, b.month, b.balance_minor)
        FROM transactions_closedbalance AS b
        CROSS JOIN LATERAL ledger_stand_before(
            ARRAY[b.account_id], 'recorded', greatest((
                SELECT recorded_until FROM ledger_archived()
            ), (b.month + interval '1 month') AT TIME ZONE 'UTC')
        ) AS s
        WHERE b.month = (
                SELECT max(m.month) FROM transactions_closedmonth AS m, ledger_archived() AS a
                WHERE (m.month + interval '1 month') AT TIME ZONE 'UTC' >= a.recorded_until)
            AND (s.balance_minor <> b.balance_minor OR s.postings <> b.postings)
        UNION ALL
        SELECT format('the balances of %s are not those that were closed', m.month)
        FROM transactions_closedmonth AS m
        WHERE m.digest <> encode(sha256(convert_to(coalesce((
            SELECT string_agg(format('%s %s %s', b.account_id, b.balance_minor, b.postings),
                E'\\n' ORDER BY b.account_id)
            FROM transactions_closedbalance AS b WHERE b.month = m.month
        ), ''), 'UTF8')), 'hex')
        """,
    ),
    (
        "L3",
        "a month is away or here, and what it brought forward is what was signed for when it left",
        """
        SELECT format('the balances brought forward from %s are not those it left with', m.month)
        FROM transactions_archivedmonth AS m WHERE m.digest <> ledger_digest_of(m.month)
        UNION ALL
        SELECT format('month %s is said to be %s', m.month,
            CASE WHEN m.is_away THEN 'away, and its postings are here'
                ELSE 'here, and its postings are not' END)
        FROM transactions_archivedmonth AS m
        WHERE m.is_away = EXISTS (
            SELECT FROM pg_inherits AS i INNER JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'transactions_posting'::regclass
                AND c.relname = ledger_partition('transactions_posting', m.month)
        )
        """,
    ),
    (
        "L3",
        "what is away of a month is, row by row, what left",
        """
        SELECT format('month %s is away, and its rows are not those that left', m.month)
        FROM transactions_archivedmonth AS m
        WHERE m.is_away AND m.rows_digest <> '' AND m.rows_digest <> ledger_rows_digest(m.month)
        """,
    ),
)
