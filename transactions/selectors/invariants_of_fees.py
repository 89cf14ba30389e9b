"""The invariants of fees: what was charged is what a signed rule says, and is booked. SQL only."""

from typing import Final

FEES: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L6",
        "a transfer was charged what its rule says, a rule of its book, kind and currency",
        """
        SELECT format('transfer %s of %s was charged %s under rule %s, which says %s',
            t.id, t.amount_minor, t.fee_minor, t.fee_rule_id, fee.due)
        FROM transactions_transfer AS t
        LEFT JOIN transactions_feerule AS r
            ON r.id = t.fee_rule_id AND r.book_id = t.book_id AND r.kind = t.kind
            AND r.currency = t.currency AND r.version IS NOT NULL
        CROSS JOIN LATERAL (SELECT t.amount_minor::numeric * r.bps AS share) AS s
        CROSS JOIN LATERAL (
            SELECT least(r.cap_minor, greatest(r.minimum_minor, r.flat_minor + div(s.share, 10000)
                + CASE WHEN mod(s.share, 10000) > 5000 THEN 1
                    WHEN mod(s.share, 10000) = 5000 THEN mod(div(s.share, 10000), 2)
                    ELSE 0 END)) AS due
        ) AS fee
        WHERE t.fee_rule_id IS NOT NULL AND (r.id IS NULL OR t.fee_minor <> fee.due)
            OR t.fee_rule_id IS NULL AND t.fee_minor <> 0
        """,
    ),
    (
        "L6",
        "a fee is in the books once its transfer has settled, and is given back with all of it",
        """
        SELECT format('transfer %s is %s and was charged %s: booked %s, given back %s',
            coalesce(t.id, j.transfer_id), t.state, t.fee_minor, coalesce(j.booked, 0),
            coalesce(j.back, 0))
        FROM (SELECT * FROM transactions_transfer WHERE fee_minor > 0) AS t
        FULL JOIN (
            SELECT substr(j.subject_ref, 10)::uuid AS transfer_id,
                coalesce(sum(p.amount_minor) FILTER (WHERE j.purpose = 'fee'), 0) AS booked,
                -coalesce(sum(p.amount_minor) FILTER (WHERE j.purpose <> 'fee'), 0) AS back
            FROM transactions_journal AS j
            INNER JOIN transactions_posting AS p ON p.journal_id = j.id
            INNER JOIN transactions_ledgeraccount AS a ON a.id = p.account_id
            WHERE j.purpose IN ('fee', 'fee_reversal') AND a.code = 'fees:house'
            GROUP BY j.subject_ref
        ) AS j ON j.transfer_id = t.id
        WHERE (t.id IN (SELECT ledger_transfers_away())) IS NOT true AND (
            coalesce(j.booked, 0) <> CASE
                WHEN t.state IN ('settled', 'returned', 'reversed') THEN t.fee_minor ELSE 0 END
            OR coalesce(j.back, 0) <> CASE t.state WHEN 'reversed' THEN t.fee_minor ELSE 0 END)
        """,
    ),
    (
        "L11",
        "a fee rule came into force by a used approval of these terms",
        """
        SELECT format('fee rule %s is %s, version %s, without such an approval',
            r.id, r.state, r.version)
        FROM transactions_feerule AS r
        WHERE r.state IN ('in_force', 'ended') AND NOT EXISTS (
            SELECT FROM accounts_approval AS a
            WHERE a.id = r.approval_id AND a.state = 'used'
                AND a.subject_ref = 'feerule:' || r.id
                AND a.action = 'transactions.adopt_fee_rule'
                AND (a.payload ->> 'flat_minor')::bigint = r.flat_minor
                AND (a.payload ->> 'bps')::bigint = r.bps
                AND (a.payload ->> 'minimum_minor')::bigint = r.minimum_minor
                AND (a.payload ->> 'cap_minor')::bigint IS NOT DISTINCT FROM r.cap_minor
        )
        """,
    ),
)
