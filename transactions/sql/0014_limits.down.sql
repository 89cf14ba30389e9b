DROP TRIGGER keep_faith ON transactions_limit;
DROP TRIGGER limit_gives_back ON transactions_hold;
DROP FUNCTION ledger_stand(uuid[], uuid, text[], numeric, integer);
DROP FUNCTION limits_fold();
DROP FUNCTION limits_recount(uuid);
DROP FUNCTION limits_used(uuid, uuid, text);
DROP FUNCTION limits_give_back();
DROP FUNCTION limits_use(jsonb);
DROP FUNCTION limits_enter(uuid, text, date, text[], numeric, integer);
DROP FUNCTION limits_slice(uuid, text);
DROP FUNCTION limits_lock(uuid, text, integer);
DROP FUNCTION limits_told(uuid, uuid, text, date);
DROP FUNCTION limits_counted(uuid, uuid, text);
DROP FUNCTION limit_keep_faith();

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
