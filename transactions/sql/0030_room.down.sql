-- Writes lines and moves balances; returns how many of the journals had any. Accounts are locked: each line sees what
-- the lines before it left.
CREATE OR REPLACE FUNCTION ledger_write_lines(p_lines jsonb, p_ids uuid[], p_books uuid[], p_times timestamptz[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_journals integer;
BEGIN
    WITH sound AS MATERIALIZED (
        SELECT lines.*, CASE
            WHEN book_id IS NULL OR book_id <> p_books[journal] OR keeps_balance <> (version IS NOT NULL)
                THEN public.ledger_refuse('ledger_unknown_account', account)
            WHEN kept_in <> currency THEN public.ledger_refuse('ledger_wrong_currency', account)
            WHEN frozen & 4 = 4 THEN public.ledger_refuse('ledger_account_closed', account)
            WHEN amount < 0 AND frozen & 1 = 1 AND coalesce(release, 0) = 0 OR amount > 0 AND frozen & 2 = 2
                THEN public.ledger_refuse('ledger_account_frozen', account)
            -- What pays out of its own reservation takes nothing of what is held back.
            WHEN amount < 0 AND balance_after::numeric < least - released
                + CASE WHEN amount + coalesce(release, 0) < 0 THEN held_back_minor::numeric ELSE 0 END
                THEN public.ledger_refuse('balance_above_floor', account)
        END AS refusal
        FROM (
            SELECT l.*, a.book_id, a.currency AS kept_in, a.keeps_balance,
                b.posted_minor + sum(l.amount) OVER so_far AS balance_after, b.version + row_number() OVER so_far AS version,
                sum(l.amount) OVER so_far AS moved, row_number() OVER so_far AS lines,
                sum(coalesce(l.release, 0)) OVER so_far AS released, lead(l.n) OVER so_far IS NULL AS is_last,
                b.floor_minor + b.pending_minor AS least, b.held_back_minor, b.frozen
            FROM ROWS FROM (jsonb_to_recordset(p_lines) AS (
                journal integer, account uuid, amount bigint, currency text, release bigint
            )) WITH ORDINALITY AS l (journal, account, amount, currency, release, n)
            LEFT JOIN public.transactions_ledgeraccount AS a ON a.id = l.account
            LEFT JOIN public.transactions_balance AS b ON b.account_id = l.account
            WINDOW so_far AS (PARTITION BY l.account ORDER BY l.n)
        ) AS lines
    ), written AS (
        INSERT INTO public.transactions_posting
            (journal_id, book_id, account_id, amount_minor, currency, balance_after_minor, account_version, occurred_at)
        SELECT p_ids[journal], book_id, account, amount, currency, balance_after, version, p_times[journal]
        FROM sound ORDER BY n
    ), moved AS (
        UPDATE public.transactions_balance AS b
        SET posted_minor = b.posted_minor + s.moved, pending_minor = b.pending_minor - s.released, version = b.version + s.lines
        FROM sound AS s WHERE s.is_last AND s.keeps_balance AND b.account_id = s.account
    )
    SELECT count(DISTINCT journal) INTO v_journals FROM sound;
    RETURN v_journals;
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
