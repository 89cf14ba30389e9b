"""The invariants of limits: what is counted, and who agreed to what is allowed. SQL only."""

from typing import Final

# UTC is told as an interval, and how long ago as a query: so neither is looked up for every row.
# What was taken over from former books is left out while adding up, for nobody can guess how much
# that is, and who guesses little uses one core.
LIMITS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L3",
        "what is counted against limits in thirty days is what was moved and reserved",
        """
        WITH moved AS (
            SELECT t.source_id AS account_id, t.book_id, t.currency, t.kind,
                (t.settled_at AT TIME ZONE interval '0')::date AS day,
                sum(t.amount_minor) FILTER (WHERE t.occurred_at = t.requested_at) AS amount,
                count(*) FILTER (WHERE t.occurred_at = t.requested_at) AS times
            FROM transactions_transfer AS t
            WHERE t.kind IN ('internal', 'partner')
                AND t.settled_at >= (SELECT now() - interval '31 days')
            GROUP BY t.source_id, t.book_id, t.currency, t.kind,
                (t.settled_at AT TIME ZONE interval '0')::date
            UNION ALL
            SELECT h.account_id, h.book_id, a.currency,
                CASE WHEN h.transfer_id IS NULL THEN 'hold' ELSE 'payout' END,
                (h.created_at AT TIME ZONE interval '0')::date,
                h.amount_minor - h.released_minor
                    - CASE WHEN h.released_minor < h.amount_minor THEN coalesce(t.fee_minor, 0)
                        ELSE 0 END,
                CASE WHEN h.released_minor < h.amount_minor THEN 1 ELSE 0 END
            FROM transactions_hold AS h
            INNER JOIN transactions_ledgeraccount AS a ON a.id = h.account_id
            LEFT JOIN transactions_transfer AS t ON t.id = h.transfer_id
            WHERE h.created_at >= (SELECT now() - interval '31 days')
                AND (t.id IS NULL OR t.occurred_at = t.requested_at)
        ), due AS (
            SELECT subject_id, currency, m.kind, m.day, sum(m.amount) AS amount,
                sum(m.times) AS times
            FROM (
                SELECT DISTINCT coalesce(account_id, book_id) AS subject_id, currency
                FROM transactions_limit WHERE num_nonnulls(amount_max_minor, count_max) > 0
            ) AS l
            INNER JOIN (
                SELECT account_id AS subject_id, currency, kind, day, amount, times FROM moved
                UNION ALL
                SELECT book_id, currency, kind, day, amount, times FROM moved
            ) AS m USING (subject_id, currency)
            GROUP BY subject_id, currency, m.kind, m.day
        ), kept AS (
            SELECT subject_id, currency, kind, day, sum(amount_minor) AS amount,
                sum(times) AS times
            FROM transactions_limituse GROUP BY subject_id, currency, kind, day
        )
        SELECT format('of %s on %s, %s %s are counted as %s in %s times, and were %s in %s',
            coalesce(d.subject_id, k.subject_id), coalesce(d.day, k.day),
            coalesce(d.currency, k.currency), coalesce(d.kind, k.kind),
            coalesce(k.amount, 0), coalesce(k.times, 0), coalesce(d.amount, 0),
            coalesce(d.times, 0))
        FROM due AS d
        FULL JOIN kept AS k ON k.subject_id = d.subject_id AND k.currency = d.currency
            AND k.kind = d.kind AND k.day = d.day
        WHERE coalesce(d.day, k.day) > (now() AT TIME ZONE 'UTC')::date - 30
            AND (coalesce(d.amount, 0), coalesce(d.times, 0))
                <> (coalesce(k.amount, 0), coalesce(k.times, 0))
        """,
    ),
    (
        "L11",
        "a limit allows what two people agreed to",
        """
        SELECT format('limit %s allows %s in %s times, without such an approval',
            l.id, l.amount_max_minor, l.count_max)
        FROM transactions_limit AS l
        WHERE l.changed_under_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_approval AS a
            WHERE a.id = l.changed_under_id AND a.state = 'used'
                AND a.action = 'transactions.set_limit' AND a.subject_ref = 'limit:' || l.id
                AND (a.payload ->> 'amount_max_minor')::bigint
                    IS NOT DISTINCT FROM l.amount_max_minor
                AND (a.payload ->> 'count_max')::bigint IS NOT DISTINCT FROM l.count_max
        )
        """,
    ),
)
