"""The invariants of money that waits, and of money that goes back: holds, reversals. SQL only."""

from typing import Final

HOLDS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L5",
        "no journal was undone by more than it moved, line by line, and the tally says how far",
        """
        SELECT format('of journal %s %s on account %s, %s went back, told as %s',
            moved.journal_id, moved.total, moved.account_id, moved.back, l.reversed_minor)
        FROM (
            SELECT coalesce(j.reverses, j.id) AS journal_id, p.account_id,
                sum(p.amount_minor) FILTER (WHERE j.reverses IS NULL) AS total,
                sum(p.amount_minor) FILTER (WHERE j.reverses IS NOT NULL) AS back
            FROM transactions_journal AS j
            INNER JOIN transactions_posting AS p ON p.journal_id = j.id
            WHERE j.reverses IS NOT NULL OR j.id IN (
                SELECT o.reverses FROM transactions_journalorigin AS o
                WHERE o.reverses IS NOT NULL
            )
            GROUP BY coalesce(j.reverses, j.id), p.account_id
        ) AS moved
        FULL JOIN transactions_reversedline AS l
            ON l.journal_id = moved.journal_id AND l.account_id = moved.account_id
        LEFT JOIN transactions_ledgeraccount AS a ON a.id = moved.account_id
        WHERE coalesce(moved.journal_id, l.journal_id) >= (SELECT before FROM ledger_archived())
            AND (coalesce(l.reversed_minor, 0) <> coalesce(moved.back, 0)
                AND (a.code <> 'suspense' OR moved.total IS NOT NULL)
            OR l.amount_minor IS DISTINCT FROM moved.total AND l.journal_id IS NOT NULL
            OR sign(moved.back) = sign(moved.total)
            OR abs(moved.back) > abs(moved.total))
        """,
    ),
    (
        "L6",
        "what came back of a transfer is its return, or what it says was reversed",
        """
        SELECT format('transfer %s of %s is %s, %s reversed, and %s came back',
            t.id, t.amount_minor, t.state, t.reversed_minor, coalesce(back.total, 0))
        FROM transactions_transfer AS t
        LEFT JOIN (
            SELECT j.subject_ref, sum(p.amount_minor) AS total
            FROM transactions_journal AS j
            INNER JOIN transactions_posting AS p ON p.journal_id = j.id
            WHERE j.reverses IS NOT NULL AND p.amount_minor > 0 AND j.purpose <> 'fee_reversal'
            GROUP BY j.subject_ref
        ) AS back ON back.subject_ref = 'transfer:' || t.id
        WHERE coalesce(back.total, 0)
            <> CASE t.state WHEN 'returned' THEN t.amount_minor ELSE t.reversed_minor END
            AND (t.id IN (SELECT ledger_transfers_away())) IS NOT true
            OR (t.state = 'reversed') <> (t.reversed_minor = t.amount_minor)
        """,
    ),
    (
        "L6",
        "what is reserved on an account is what is left of its holds",
        """
        SELECT format('account %s has %s reserved, of its holds %s are left',
            b.account_id, b.pending_minor, coalesce(h.total, 0))
        FROM transactions_balance AS b
        LEFT JOIN (
            SELECT account_id, sum(amount_minor - captured_minor - released_minor) AS total
            FROM transactions_hold GROUP BY account_id
        ) AS h ON h.account_id = b.account_id
        WHERE b.pending_minor <> coalesce(h.total, 0)
        """,
    ),
    (
        "L6",
        "of a hold, what was posted, voided or expired and what is open is what was created",
        """
        SELECT format('hold %s of %s is %s: captured %s, released %s',
            id, amount_minor, state, captured_minor, released_minor)
        FROM transactions_hold
        WHERE captured_minor < 0 OR released_minor < 0
            OR captured_minor + released_minor > amount_minor
            OR (state = 'open') <> (captured_minor + released_minor < amount_minor)
            OR state = 'posted' AND captured_minor = 0
            OR state IN ('voided', 'expired') AND released_minor = 0
        """,
    ),
    (
        "L6",
        "what a hold says was captured left its account by the hold's own journals",
        """
        SELECT format('hold %s captured %s, its journals took %s',
            h.id, h.captured_minor, coalesce(sum(-p.amount_minor), 0))
        FROM transactions_hold AS h
        LEFT JOIN transactions_journal AS j ON j.subject_ref = 'hold:' || h.id
        LEFT JOIN transactions_posting AS p ON p.journal_id = j.id AND p.account_id = h.account_id
        WHERE h.transfer_id IS NULL AND h.id >= (SELECT before FROM ledger_archived())
        GROUP BY h.id, h.captured_minor
        HAVING h.captured_minor <> coalesce(sum(-p.amount_minor), 0)
        """,
    ),
    (
        "L6",
        "a payout has one hold of its amount and fee, open, paid or released as the payout is",
        """
        SELECT format('transfer %s is %s, its hold %s',
            t.id, t.state, coalesce(h.state, 'missing'))
        FROM (SELECT * FROM transactions_transfer WHERE kind = 'payout') AS t
        FULL JOIN (
            SELECT * FROM transactions_hold WHERE transfer_id IS NOT NULL
        ) AS h ON h.transfer_id = t.id
        WHERE (t.kind = 'payout') IS DISTINCT FROM (h.id IS NOT NULL)
            AND NOT (h.id IS NULL AND t.execute_at IS NOT NULL
                AND t.state IN ('scheduled', 'failed', 'cancelled'))
            OR h.id IS NOT NULL AND (
                h.amount_minor <> t.amount_minor + t.fee_minor OR h.account_id <> t.source_id
                OR h.state <> CASE
                    WHEN t.state IN ('settled', 'returned') THEN 'posted'
                    WHEN t.state IN ('failed', 'rejected', 'cancelled') THEN 'voided'
                    ELSE 'open'
                END
            )
        """,
    ),
)
