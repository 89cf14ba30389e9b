"""The invariants of money: journals, balances, origins, freezes, four eyes. SQL only.

Each is (name, promise, query); names are those of the house's list of invariants.
"""

from typing import Final

# Of an account, a book and a currency: how many postings there are.
PLACED: Final = """
    SELECT account_id, book_id, currency, count(*) AS lines
    FROM transactions_posting GROUP BY account_id, book_id, currency
"""
AT_HOME: Final = """
    SELECT format('account %s has %s postings of book %s in %s', p.account_id, p.lines,
        p.book_id, p.currency)
    FROM ({placed}) AS p
    LEFT JOIN transactions_ledgeraccount AS a ON a.id = p.account_id
    WHERE a.id IS NULL OR a.book_id <> p.book_id OR a.currency <> p.currency
"""
# Of an account: what its postings add up to, how many there are, and how many say how it stood.
SUMS: Final = """
    SELECT account_id, sum(amount_minor) AS total, count(*) AS lines,
        count(balance_after_minor # account_version) AS told
    FROM transactions_posting
    WHERE journal_id >= (SELECT before FROM ledger_archived()) GROUP BY account_id
"""
STORED: Final = """
    SELECT format('account %s stands at %s, its %s postings at %s, of which %s say so',
        a.id, b.posted_minor, coalesce(p.lines, 0),
        coalesce(p.total, 0) + coalesce(f.balance_minor, 0), coalesce(p.told, 0))
    FROM transactions_ledgeraccount AS a
    LEFT JOIN transactions_balance AS b ON b.account_id = a.id
    LEFT JOIN ({sums}) AS p ON p.account_id = a.id
    LEFT JOIN ledger_brought_forward() AS f ON f.account_id = a.id
    WHERE a.keeps_balance AND b.posted_minor
        IS DISTINCT FROM coalesce(p.total, 0) + coalesce(f.balance_minor, 0)
        OR NOT a.keeps_balance AND b.account_id IS NOT NULL
        OR p.told <> CASE WHEN a.keeps_balance THEN p.lines ELSE 0 END
"""

# Whether `reverses` is empty is asked of a function: PostgreSQL takes IS NULL for rare,
# and of a part of the books, of which it knows no more, it then compares each row with each.
BOOKS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L1",
        "a journal has 2 to 64 postings of its book that sum to zero in each currency",
        """
        SELECT format('journal %s has %s postings%s%s', coalesce(j.id, p.journal_id),
            coalesce(p.lines, 0),
            CASE WHEN p.books > 1 OR p.book_id IS DISTINCT FROM j.book_id
                THEN ', not all of its book' END,
            CASE WHEN p.off <> 0 THEN ', and is off by ' || p.off
                WHEN off.currency IS NOT NULL THEN ', and is off in ' || off.currency END)
        FROM (
            SELECT journal_id, count(*) AS lines, sum(amount_minor) AS off,
                count(DISTINCT book_id) AS books, any_value(book_id) AS book_id,
                min(currency) <> max(currency) AS is_mixed
            FROM transactions_posting GROUP BY journal_id
        ) AS p
        FULL JOIN transactions_journal AS j ON j.id = p.journal_id
        LEFT JOIN LATERAL (
            SELECT currency FROM transactions_posting
            WHERE p.is_mixed AND journal_id = p.journal_id
            GROUP BY currency HAVING sum(amount_minor) <> 0 LIMIT 1
        ) AS off ON true
        WHERE coalesce(j.id, p.journal_id) >= (SELECT before FROM ledger_archived()) AND (
            p.lines IS NULL OR p.lines NOT BETWEEN 2 AND 64 OR p.books > 1
            OR p.book_id IS DISTINCT FROM j.book_id OR p.off <> 0 OR off.currency IS NOT NULL)
        """,
    ),
    (
        "L1",
        "a posting is of its account's book and currency",
        AT_HOME.format(placed=PLACED),
    ),
    (
        "L2",
        "all of a book sums to zero in each currency",
        """
        SELECT format('book %s is off by %s %s', book_id, sum(amount_minor), currency)
        FROM (
            SELECT book_id, currency, amount_minor FROM transactions_posting
            WHERE journal_id >= (SELECT before FROM ledger_archived())
            UNION ALL
            SELECT book_id, currency, balance_minor FROM ledger_brought_forward()
        ) AS lines
        GROUP BY book_id, currency HAVING sum(amount_minor) <> 0
        """,
    ),
    (
        "L3",
        "a stored balance is the sum of its postings",
        STORED.format(sums=SUMS),
    ),
    (
        "L3",
        "a posting says how its account stood after it",
        """
        SELECT format('posting %s says %s before it, its forerunner %s', id, stood, stood_last)
        FROM (
            SELECT id, balance_after_minor - amount_minor AS stood, CASE
                WHEN lag(place) OVER in_order >> 40 = place >> 40
                    THEN lag(balance_after_minor) OVER in_order ELSE forward END AS stood_last
            FROM (
                SELECT p.id, p.balance_after_minor, p.amount_minor,
                    (a.number << 40) + p.account_version AS place, a.forward
                FROM transactions_posting AS p
                INNER JOIN (
                    SELECT l.id, l.number, coalesce(f.balance_minor, 0) AS forward
                    FROM unnest(ARRAY(
                        SELECT id FROM transactions_ledgeraccount WHERE keeps_balance
                    )) WITH ORDINALITY AS l (id, number)
                    LEFT JOIN ledger_brought_forward() AS f ON f.account_id = l.id
                ) AS a ON a.id = p.account_id
                WHERE (p.journal_id >= (SELECT before FROM ledger_archived())) IS TRUE
            ) AS placed
            WINDOW in_order AS (ORDER BY place)
        ) AS lines
        WHERE stood IS DISTINCT FROM stood_last
        """,
    ),
    (
        "L4",
        "a balance less what is reserved is at or above its floor",
        """
        SELECT format('account %s has %s, reserved %s, floor %s',
            account_id, posted_minor, pending_minor, floor_minor)
        FROM transactions_balance
        WHERE posted_minor - pending_minor < floor_minor OR pending_minor < 0
        """,
    ),
    (
        "L5",
        "a transfer has one origin and no origin has two",
        """
        SELECT format('origin "%s" has %s transfers', origin, count(*))
        FROM transactions_transfer GROUP BY origin HAVING count(*) > 1 OR origin = ''
        """,
    ),
    (
        "L5",
        "a journal has the one origin that it names, and undoes only what is there",
        """
        SELECT format('journal %s and origin "%s" do not name each other',
            coalesce(j.id, o.journal_id), coalesce(o.origin, j.origin))
        FROM transactions_journal AS j
        FULL JOIN transactions_journalorigin AS o ON o.journal_id = j.id
        WHERE coalesce(j.id, o.journal_id) >= (SELECT before FROM ledger_archived()) AND (
            j.origin IS DISTINCT FROM o.origin OR j.reverses IS DISTINCT FROM o.reverses
            OR j.reverses >= (SELECT before FROM ledger_archived())
            AND NOT EXISTS (SELECT FROM transactions_journal AS u WHERE u.id = j.reverses))
        """,
    ),
    (
        "L5",
        "a transfer has exactly the journals that its state says",
        """
        SELECT format('transfer %s is %s and has %s journals, %s of them back',
            coalesce(t.id, j.transfer_id), coalesce(t.state, 'not there'), coalesce(j.there, 0),
            coalesce(j.back, 0))
        FROM transactions_transfer AS t
        FULL JOIN (
            SELECT substr(subject_ref, 10)::uuid AS transfer_id, count(reverses) AS back,
                count(*) - count(reverses) AS there
            FROM transactions_journal
            WHERE starts_with(subject_ref, 'transfer:') AND purpose NOT IN ('fee', 'fee_reversal')
            GROUP BY subject_ref
        ) AS j ON j.transfer_id = t.id
        WHERE (t.id IN (SELECT ledger_transfers_away())) IS NOT true AND (
            coalesce(j.there, 0)
            <> CASE WHEN t.state IN ('settled', 'returned', 'reversed') THEN 1 ELSE 0 END
            OR (coalesce(j.back, 0) > 0)
            IS DISTINCT FROM (t.state = 'returned' OR t.reversed_minor > 0))
        """,
    ),
    (
        "L6",
        "a settled transfer took its amount from its account",
        """
        SELECT format('transfer %s of %s is not what journal %s moved',
            t.id, t.amount_minor, j.id)
        FROM transactions_transfer AS t
        INNER JOIN transactions_journal AS j
            ON t.id = substr(j.subject_ref, 10)::uuid AND starts_with(j.subject_ref, 'transfer:')
        WHERE num_nulls(j.reverses) > 0 AND j.purpose <> 'fee' AND NOT EXISTS (
            SELECT FROM transactions_posting AS p
            WHERE p.journal_id = j.id AND p.amount_minor = -t.amount_minor
                AND p.account_id = t.source_id
        )
        """,
    ),
    (
        "L6",
        "the ledger stops what an account's freezes in force say together, and nothing else",
        """
        SELECT format('account %s is %s, its freezes stop %s and %s, the ledger %s and %s',
            a.id, a.freeze_mode, f.bits, f.held, b.frozen, b.held_back_minor)
        FROM accounts_account AS a
        LEFT JOIN transactions_balance AS b ON b.account_id = a.id
        CROSS JOIN LATERAL (
            SELECT count(*) AS orders,
                least(coalesce(sum(amount_minor), 0), 9223372036854775807) AS held,
                coalesce(bit_or(array_position('{debits,credits,all}'::text [], mode::text)), 0)
                    AS bits
            FROM accounts_freeze WHERE account_id = a.id AND state = 'in_force'
        ) AS f
        WHERE b.frozen & 3 IS DISTINCT FROM f.bits OR b.held_back_minor IS DISTINCT FROM f.held
            OR a.freeze_mode <> CASE WHEN f.orders > 0 AND f.bits = 0 THEN 'amount'
                ELSE ('{none,debits,credits,all}'::text [])[f.bits + 1] END
        """,
    ),
    (
        "L6",
        "the ledger knows an account's floor and whether it is closed, and a closed one is empty",
        """
        SELECT format('account %s has floor %s, closed at %s, in the ledger %s, bits %s, has %s',
            a.id, a.floor_minor, a.closed_at, b.floor_minor, b.frozen, b.posted_minor)
        FROM accounts_account AS a
        LEFT JOIN transactions_balance AS b ON b.account_id = a.id
        WHERE b.floor_minor IS DISTINCT FROM a.floor_minor
            OR (b.frozen & 4 = 4) IS DISTINCT FROM (a.closed_at IS NOT NULL)
            OR a.closed_at IS NOT NULL AND (b.posted_minor, b.pending_minor) <> (0, 0)
        """,
    ),
    (
        "L11",
        "a freeze was confirmed and lifted, an account closed or given a floor, only by two",
        """
        SELECT format('freeze %s is %s, confirmed at %s, without such an approval',
            f.id, f.state, f.confirmed_at)
        FROM accounts_freeze AS f
        WHERE f.confirmed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts_approval AS a WHERE a.subject_ref = 'freeze:' || f.id
                AND a.action = 'transactions.confirm_freeze' AND a.state = 'used'
        ) OR f.state = 'lifted' AND NOT EXISTS (
            SELECT FROM accounts_approval AS a WHERE a.subject_ref = 'freeze:' || f.id
                AND a.action = 'transactions.lift_freeze' AND a.state = 'used'
        )
        UNION ALL
        SELECT format('account %s has floor %s, closed at %s, without such an approval',
            c.id, c.floor_minor, c.closed_at)
        FROM accounts_account AS c
        LEFT JOIN accounts_approval AS a
            ON a.id = c.changed_under_id AND a.state = 'used'
            AND a.subject_ref = 'account:' || c.id
        WHERE a.id IS NULL AND (c.closed_at IS NOT NULL OR c.floor_minor <> 0)
        """,
    ),
    (
        "L11",
        "nobody decides what they asked for, and the request tells the same maker",
        """
        SELECT format('decision %s on approval %s: made by %s, checked by %s',
            d.id, a.id, a.maker_party, d.checker_party)
        FROM accounts_decision AS d
        INNER JOIN accounts_approval AS a ON a.id = d.approval_id
        WHERE d.checker_party IN (a.maker_party, d.maker_party) OR d.maker_party <> a.maker_party
        """,
    ),
    (
        "L11",
        "what was approved, used or rejected was decided so by another party",
        """
        SELECT format('approval %s is %s without such a decision', a.id, a.state)
        FROM accounts_approval AS a
        WHERE a.state IN ('approved', 'used', 'rejected') AND NOT EXISTS (
            SELECT FROM accounts_decision AS d
            WHERE d.approval_id = a.id AND d.checker_party <> a.maker_party
                AND d.verdict = CASE a.state WHEN 'rejected' THEN 'reject' ELSE 'approve' END
        )
        """,
    ),
    (
        "L11",
        "a payout that needed a second signature left only with it",
        """
        SELECT format('transfer %s is %s under approval %s, which is %s',
            t.id, t.state, a.id, a.state)
        FROM transactions_transfer AS t
        INNER JOIN accounts_approval AS a ON a.id = t.approval_id
        WHERE t.state IN ('accepted', 'dispatched', 'unknown', 'settled', 'failed', 'returned')
            AND a.state <> 'used'
            OR a.subject_ref <> 'transfer:' || t.id
            OR (a.payload ->> 'amount_minor')::bigint <> t.amount_minor
        """,
    ),
)
