-- What goes back of a journal, and how far. Whatever reversed before is counted from the journals themselves.
INSERT INTO transactions_reversedline (journal_id, account_id, amount_minor, reversed_minor)
WITH back AS (
    SELECT
        j.reverses,
        u.account_id,
        sum(u.amount_minor) AS total
    FROM transactions_journal AS j
    INNER JOIN transactions_posting AS u ON j.id = u.journal_id
    WHERE j.reverses IS NOT NULL
    GROUP BY j.reverses, u.account_id
)

SELECT
    p.journal_id,
    p.account_id,
    sum(p.amount_minor) AS amount_minor,
    coalesce(max(back.total), 0) AS reversed_minor
FROM transactions_posting AS p
LEFT JOIN back ON p.journal_id = back.reverses AND p.account_id = back.account_id
WHERE p.journal_id IN (SELECT b.reverses FROM back AS b)
GROUP BY p.journal_id, p.account_id
HAVING sum(p.amount_minor) <> 0;
ALTER TABLE transactions_reversedline OWNER TO cs_definer;

-- A reversal's every line is opposite to one of the journal it names, and never more in sum (the table's CHECK), whoever
-- posts it. What an account cannot take back may wait in suspense. Under the locks of that journal's lines, in order, so
-- that two partial reversals wait for each other. Checked at commit, or when a command asks for it, once the lines are there.
CREATE FUNCTION ledger_keep_reversal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_strange uuid;
BEGIN
    INSERT INTO public.transactions_reversedline (journal_id, account_id, amount_minor, reversed_minor)
    SELECT new.reverses, account_id, sum(amount_minor), 0
    FROM public.transactions_posting WHERE journal_id = new.reverses AND book_id = new.book_id
    GROUP BY account_id HAVING sum(amount_minor) <> 0 ORDER BY account_id
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM public.transactions_reversedline
    WHERE journal_id = new.reverses ORDER BY account_id FOR NO KEY UPDATE;
    SELECT coalesce(p.account_id, new.id) INTO v_strange
    FROM (SELECT new.id AS journal_id) AS it
    LEFT JOIN public.transactions_posting AS p ON p.journal_id = it.journal_id
    LEFT JOIN public.transactions_reversedline AS l ON l.journal_id = new.reverses AND l.account_id = p.account_id
    LEFT JOIN public.transactions_ledgeraccount AS a ON a.id = p.account_id
    WHERE p.id IS NULL OR sign(p.amount_minor) = sign(l.amount_minor) OR l.account_id IS NULL AND a.code <> 'suspense'
    LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('reversal_mirrors', v_strange); END IF;
    UPDATE public.transactions_reversedline AS l SET reversed_minor = l.reversed_minor + undone.total
    FROM (
        SELECT account_id, sum(amount_minor) AS total
        FROM public.transactions_posting WHERE journal_id = new.id GROUP BY account_id
    ) AS undone
    WHERE l.journal_id = new.reverses AND l.account_id = undone.account_id;
    RETURN NULL;
END;
$$;
ALTER FUNCTION ledger_keep_reversal() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER journal_reversal AFTER INSERT ON transactions_journal
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.reverses IS NOT NULL) EXECUTE FUNCTION ledger_keep_reversal();

-- A payout that waits for a second signature leaves only with a used approval, and what was asked never changes: but for
-- the approval of a scheduled one, which is asked for when its time has come. No sooner is anything done about it.
CREATE OR REPLACE FUNCTION transfer_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_rule text;
BEGIN
    IF (old.book_id, old.kind, old.source_id, old.destination_id, old.payee_name_id, old.payee_iban_id, old.amount_minor,
        old.currency, old.origin, old.requested_by, old.execute_at)
        IS DISTINCT FROM
        (new.book_id, new.kind, new.source_id, new.destination_id, new.payee_name_id, new.payee_iban_id, new.amount_minor,
        new.currency, new.origin, new.requested_by, new.execute_at)
        OR old.approval_id IS DISTINCT FROM new.approval_id AND (old.state <> 'scheduled' OR old.approval_id IS NOT NULL)
    THEN
        v_rule := 'transfer_order_fixed';
    ELSIF old.state = 'awaiting_approval' AND new.state NOT IN ('awaiting_approval', 'rejected', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM public.accounts_approval WHERE id = old.approval_id AND state = 'used')
    THEN
        v_rule := 'transfer_approved';
    ELSIF new.reversed_minor < old.reversed_minor OR old.state <> 'scheduled' AND new.state = 'scheduled' THEN
        v_rule := 'transfer_moves_forward';
    ELSIF old.state = 'scheduled' AND new.state NOT IN ('scheduled', 'cancelled') AND clock_timestamp() < old.execute_at THEN
        v_rule := 'transfer_in_time';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, old.id); END IF;
    RETURN new;
END;
$$;

-- As before, and: what was scheduled counts on its day, what a partner holds on the day it was held, less what was released.
CREATE OR REPLACE FUNCTION ledger_stand(p_accounts uuid[], p_book uuid DEFAULT NULL) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    frozen smallint, is_active boolean, threshold_minor bigint, limits jsonb, told_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance AS b
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book)
    ORDER BY b.account_id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT b.account_id, b.book_id, a.currency, b.posted_minor, b.pending_minor, b.floor_minor, b.frozen,
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
GRANT SELECT ON transactions_hold TO cs_definer;
