-- An account's life, as the ledger obeys it: what is held back, its floor, and whether it is closed.

DROP FUNCTION ledger_stand(uuid[], uuid);
-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now, with its limits: [{window, most, used}]. Today is UTC's; what failed or was called off is
-- not used, nor what was taken over from former books. With p_book, other books' accounts are neither locked nor told.
CREATE FUNCTION ledger_stand(p_accounts uuid[], p_book uuid DEFAULT NULL) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    held_back_minor bigint, frozen smallint, is_active boolean, threshold_minor bigint, limits jsonb, told_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance AS b
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book)
    ORDER BY b.account_id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT b.account_id, b.book_id, a.currency, b.posted_minor, b.pending_minor, b.floor_minor, b.held_back_minor, b.frozen,
        coalesce(p.is_active, true), coalesce(p.approval_threshold_minor, 0), (
            SELECT jsonb_agg(jsonb_build_object('window', l."window", 'most', l.amount_max_minor, 'used',
                CASE l."window" WHEN 'day' THEN (
                    SELECT coalesce(sum(t.amount_minor), 0) FROM public.transactions_transfer AS t
                    WHERE t.source_id = b.account_id AND t.state NOT IN ('scheduled', 'failed', 'rejected', 'cancelled')
                        AND (t.requested_at >= date_trunc('day', now(), 'UTC')
                            AND t.occurred_at >= date_trunc('day', now(), 'UTC')
                            OR t.execute_at >= date_trunc('day', now(), 'UTC'))
                ) + (
                    SELECT coalesce(sum(h.amount_minor - h.released_minor), 0) FROM public.transactions_hold AS h
                    WHERE h.account_id = b.account_id AND h.transfer_id IS NULL
                        AND h.created_at >= date_trunc('day', now(), 'UTC')
                ) ELSE 0 END) ORDER BY l."window")
            FROM public.transactions_limit AS l WHERE l.account_id = b.account_id
        ), clock_timestamp()
    FROM public.transactions_balance AS b
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
    LEFT JOIN public.accounts_partner AS p ON p.book_id = b.book_id
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book);
END;
$$;
ALTER FUNCTION ledger_stand(uuid[], uuid) OWNER TO cs_definer;

-- Writes the lines of journals that were written just now, and moves the balances they run over.
CREATE OR REPLACE FUNCTION ledger_write_lines(p_lines jsonb, p_ids uuid[], p_books uuid[], p_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH lines AS MATERIALIZED (
        SELECT l.*, a.id AS known_id, a.book_id, a.currency AS kept_in, a.keeps_balance,
            b.posted_minor + sum(l.amount) OVER so_far AS balance_after, b.version + row_number() OVER so_far AS version,
            b.floor_minor + b.pending_minor - sum(coalesce(l.release, 0)) OVER so_far AS least,
            b.held_back_minor, b.frozen
        FROM ROWS FROM (jsonb_to_recordset(p_lines) AS (
            journal integer, account uuid, amount bigint, currency text, release bigint
        )) WITH ORDINALITY AS l (journal, account, amount, currency, release, n)
        LEFT JOIN public.transactions_ledgeraccount AS a ON a.id = l.account
        LEFT JOIN public.transactions_balance AS b ON b.account_id = l.account
        WINDOW so_far AS (PARTITION BY l.account ORDER BY l.n)
    ), sound AS MATERIALIZED (
        SELECT lines.*, CASE
            WHEN known_id IS NULL OR book_id <> p_books[journal] OR keeps_balance <> (version IS NOT NULL)
                THEN public.ledger_refuse('ledger_unknown_account', account)
            WHEN kept_in <> currency THEN public.ledger_refuse('ledger_wrong_currency', account)
            WHEN frozen & 4 = 4 THEN public.ledger_refuse('ledger_account_closed', account)
            WHEN amount < 0 AND frozen & 1 = 1 AND coalesce(release, 0) = 0 OR amount > 0 AND frozen & 2 = 2
                THEN public.ledger_refuse('ledger_account_frozen', account)
            -- What pays out of its own reservation takes nothing of what is held back.
            WHEN amount < 0 AND balance_after::numeric < least
                + CASE WHEN amount + coalesce(release, 0) < 0 THEN held_back_minor::numeric ELSE 0 END
                THEN public.ledger_refuse('balance_above_floor', account)
        END AS refusal
        FROM lines
    ), written AS (
        INSERT INTO public.transactions_posting
            (journal_id, book_id, account_id, amount_minor, currency, balance_after_minor, account_version, occurred_at)
        SELECT p_ids[journal], book_id, account, amount, currency, balance_after, version, p_times[journal]
        FROM sound ORDER BY n
    )
    UPDATE public.transactions_balance AS b
    SET posted_minor = b.posted_minor + s.amount, pending_minor = b.pending_minor - s.release, version = b.version + s.lines
    FROM (
        SELECT account, sum(amount) AS amount, sum(coalesce(release, 0)) AS release, count(*) AS lines
        FROM sound WHERE keeps_balance GROUP BY account
    ) AS s WHERE b.account_id = s.account;
END;
$$;

-- Reserves money (amounts above zero) or frees it (below zero), account by account.
CREATE OR REPLACE FUNCTION ledger_reserve(p_accounts uuid[], p_amounts bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_moved bigint;
BEGIN
    PERFORM 1 FROM public.transactions_balance WHERE account_id = ANY(p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
    WITH asked AS MATERIALIZED (
        SELECT r.account, sum(r.amount) AS amount, count(*) AS lines
        FROM unnest(p_accounts, p_amounts) AS r (account, amount) GROUP BY r.account
    ), sound AS MATERIALIZED (
        SELECT asked.*, CASE
            WHEN b.account_id IS NULL THEN public.ledger_refuse('ledger_unknown_account', account)
            WHEN amount > 0 AND b.frozen & 4 = 4 THEN public.ledger_refuse('ledger_account_closed', account)
            WHEN amount > 0 AND b.frozen & 1 = 1 THEN public.ledger_refuse('ledger_account_frozen', account)
            -- Compared before it is added: an amount near 2^63 must be refused, not overflow.
            -- Giving back is never refused, even while more is held back than there is.
            WHEN amount > 0 AND amount > b.posted_minor::numeric - b.pending_minor - b.floor_minor - b.held_back_minor
                THEN public.ledger_refuse('balance_above_floor', account)
        END AS refusal, public.ledger_check_book(b.book_id) AS book
        FROM asked LEFT JOIN public.transactions_balance AS b ON b.account_id = asked.account
    )
    UPDATE public.transactions_balance AS b
    SET pending_minor = b.pending_minor + s.amount, version = b.version + s.lines
    FROM sound AS s WHERE b.account_id = s.account;
END;
$$;

-- Makes an account's balance obey what its own row and its freezes in force say, and nothing else: stop bits (1 debits,
-- 2 credits, 4 closed), what is held back, and the floor. Waits for postings under way; the floor's and the closed
-- account's CHECKs refuse what the balance does not bear. Whoever calls it can only make it true again.
DROP FUNCTION ledger_freeze(uuid, integer);
CREATE FUNCTION ledger_restrain(p_account uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance WHERE account_id = p_account FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
    -- A statement of its own: it sees the freezes of whoever held the lock before.
    UPDATE public.transactions_balance AS b
    SET frozen = f.bits | CASE WHEN a.closed_at IS NULL THEN 0 ELSE 4 END, held_back_minor = f.held,
        floor_minor = a.floor_minor
    FROM public.accounts_account AS a CROSS JOIN (
        SELECT
            coalesce(bit_or(CASE mode WHEN 'debits' THEN 1 WHEN 'credits' THEN 2 WHEN 'all' THEN 3 ELSE 0 END), 0) AS bits,
            least(coalesce(sum(amount_minor), 0), 9223372036854775807)::bigint AS held
        FROM public.accounts_freeze WHERE account_id = p_account AND state = 'in_force'
    ) AS f
    WHERE b.account_id = p_account AND a.id = p_account;
END;
$$;
ALTER FUNCTION ledger_restrain(uuid) OWNER TO cs_definer;
GRANT SELECT ON accounts_account, accounts_freeze TO cs_definer;
