CREATE OR REPLACE FUNCTION transfer_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (old.book_id, old.kind, old.source_id, old.destination_id, old.payee_name_id, old.payee_iban_id, old.amount_minor,
        old.currency, old.origin, old.approval_id, old.requested_by)
        IS DISTINCT FROM
        (new.book_id, new.kind, new.source_id, new.destination_id, new.payee_name_id, new.payee_iban_id, new.amount_minor,
        new.currency, new.origin, new.approval_id, new.requested_by)
    THEN
        PERFORM public.ledger_refuse('transfer_order_fixed', old.id);
    END IF;
    IF old.state = 'awaiting_approval' AND new.state NOT IN ('awaiting_approval', 'rejected', 'cancelled') AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval WHERE id = old.approval_id AND state = 'used')
    THEN
        PERFORM public.ledger_refuse('transfer_approved', old.id);
    END IF;
    RETURN new;
END;
$$;
DROP TRIGGER journal_reversal ON transactions_journal;
DROP FUNCTION ledger_keep_reversal();

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
                    WHERE t.source_id = b.account_id AND t.state NOT IN ('failed', 'rejected', 'cancelled')
                        AND t.requested_at >= date_trunc('day', now(), 'UTC')
                        AND t.occurred_at >= date_trunc('day', now(), 'UTC')
                ) ELSE 0 END) ORDER BY l."window")
            FROM public.transactions_limit AS l WHERE l.account_id = b.account_id
        ), clock_timestamp()
    FROM public.transactions_balance AS b
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
    LEFT JOIN public.accounts_partner AS p ON p.book_id = b.book_id
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book);
END;
$$;
