"""The invariants of finance's acts: signatures, suspense, and money between books. SQL only."""

from typing import Final

FINANCE: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L2",
        "what one book owes another by inter-book clearing, the other is owed",
        """
        SELECT format('books "%s" and "%s" are off by %s %s',
            least(here, there), greatest(here, there), sum(amount_minor), currency)
        FROM (
            SELECT coalesce(w.slug, 'house') AS here, split_part(a.code, ':', 2) AS there,
                p.amount_minor, p.currency
            FROM transactions_ledgeraccount AS a
            INNER JOIN (
                SELECT account_id, amount_minor, currency FROM transactions_posting
                WHERE journal_id >= (SELECT before FROM ledger_archived())
                UNION ALL
                SELECT account_id, balance_minor, currency FROM ledger_brought_forward()
            ) AS p ON p.account_id = a.id
            INNER JOIN transactions_book AS b ON b.id = a.book_id
            LEFT JOIN accounts_partner AS w ON w.id = b.partner_id
            WHERE a.code LIKE 'interbook:%'
        ) AS lines
        GROUP BY least(here, there), greatest(here, there), currency HAVING sum(amount_minor) <> 0
        """,
    ),
    (
        "L6",
        "what is sent to another partner arrives whole on the account it was sent to",
        """
        SELECT format('transfer %s of %s arrived as %s in journal %s',
            coalesce(t.id, j.transfer_id), t.amount_minor, p.amount_minor, j.id)
        FROM (
            SELECT id, substr(subject_ref, 9)::uuid AS transfer_id FROM transactions_journal
            WHERE starts_with(subject_ref, 'arrival:') AND reverses IS NULL
        ) AS j
        LEFT JOIN transactions_posting AS p ON p.journal_id = j.id AND p.amount_minor > 0
        FULL JOIN (SELECT * FROM transactions_transfer WHERE kind = 'partner') AS t
            ON t.id = j.transfer_id
        WHERE (p.account_id, p.amount_minor) IS DISTINCT FROM (t.destination_id, t.amount_minor)
            AND (t.id IN (SELECT ledger_transfers_away())) IS NOT true
        """,
    ),
    (
        "L11",
        "a journal by hand, an allocation or a conversion rests on a used approval of its own",
        """
        SELECT format('journal %s (%s) rests on no used approval', j.id, j.purpose)
        FROM transactions_journal AS j
        WHERE j.purpose IN ('manual', 'allocation', 'conversion') AND NOT EXISTS (
            SELECT FROM accounts_approval AS a
            WHERE a.subject_ref = j.subject_ref AND a.state = 'used' AND a.action = CASE j.purpose
                WHEN 'manual' THEN 'transactions.post_manual_journal'
                WHEN 'conversion' THEN 'transactions.post_conversion'
                ELSE 'transactions.allocate_suspense' END
        )
        """,
    ),
    (
        "L6",
        "a conversion moved what was signed, and its opposite on the FX account of each currency",
        """
        SELECT format('conversion %s moved otherwise on account %s', c.id, lines.account_id)
        FROM transactions_conversion AS c
        INNER JOIN transactions_journal AS j
            ON j.subject_ref = 'conversion:' || c.id AND j.purpose = 'conversion'
        INNER JOIN transactions_ledgeraccount AS s ON s.id = c.source_id
        INNER JOIN transactions_ledgeraccount AS d ON d.id = c.destination_id
        CROSS JOIN LATERAL (
            SELECT account_id FROM (
                SELECT account_id, amount_minor FROM transactions_posting WHERE journal_id = j.id
                UNION ALL
                SELECT c.source_id, c.sold_minor
                UNION ALL
                SELECT c.destination_id, -c.bought_minor
                UNION ALL
                SELECT f.id, CASE f.currency WHEN s.currency THEN -c.sold_minor
                    ELSE c.bought_minor END
                FROM transactions_ledgeraccount AS f
                WHERE f.book_id = c.book_id AND f.code = 'fx'
                    AND f.currency IN (s.currency, d.currency)
            ) AS moves
            GROUP BY account_id HAVING sum(amount_minor) <> 0 LIMIT 1
        ) AS lines
        """,
    ),
    (
        "L11",
        "a batch of staff, and a transfer of theirs without an approval, rests on a signed file",
        """
        SELECT format('batch %s was asked for by %s without a used approval of its file',
            b.id, b.requested_by)
        FROM transactions_transferbatch AS b
        WHERE b.requested_by NOT LIKE 'partner:%' AND NOT EXISTS (
            SELECT FROM accounts_approval AS a
            INNER JOIN transactions_batchfile AS f ON a.subject_ref = 'batchfile:' || f.id
            WHERE a.id = b.approval_id AND a.state = 'used' AND b.origin = 'file:' || f.id
                AND a.payload ->> 'rows_sha256' = f.rows_sha256
        )
        UNION ALL
        SELECT format('transfer %s was asked for by %s and signed by nobody', t.id, t.requested_by)
        FROM transactions_transfer AS t
        WHERE t.requested_by LIKE 'staff:%' AND t.approval_id IS NULL AND NOT EXISTS (
            SELECT FROM transactions_batchitem AS i
            INNER JOIN transactions_transferbatch AS b ON b.id = i.batch_id
            WHERE i.transfer_id = t.id AND b.approval_id IS NOT NULL
        )
        """,
    ),
    (
        "L11",
        "a payee is paid at details that somebody signed",
        """
        SELECT format('payee %s has bank details that no used approval shows', p.id)
        FROM transactions_registeredpayee AS p
        WHERE p.state IN ('active', 'retired') AND NOT EXISTS (
            SELECT FROM accounts_approval AS a
            WHERE a.subject_ref = 'registeredpayee:' || p.id AND a.state = 'used'
                AND a.payload ->> 'payee_token' = p.iban_id::text
        )
        """,
    ),
    (
        "L6",
        "what a suspense item's tally says was allocated is what the books say",
        """
        SELECT format('suspense item %s: tally %s of %s, booked %s',
            t.id, t.allocated_minor, t.amount_minor, coalesce(booked.total, 0))
        FROM transactions_suspensetally AS t
        LEFT JOIN transactions_posting AS p ON p.id = t.id
        LEFT JOIN LATERAL (
            SELECT sum(s.amount_minor) AS total
            FROM transactions_suspenseallocation AS s
            INNER JOIN transactions_journalorigin AS o ON o.origin = 'allocation:' || s.id
            WHERE s.posting_id = t.id
        ) AS booked ON true
        WHERE t.amount_minor IS DISTINCT FROM p.amount_minor
            AND t.id >= (SELECT before FROM ledger_archived())
            OR t.allocated_minor <> coalesce(booked.total, 0)
            OR t.allocated_minor > t.amount_minor
        """,
    ),
)
