-- Fees: rules that two people stand behind, and what a transfer was charged under one of them.

CALL audit_guard('transactions_feerule', 'transactions_historicalfeerule');
GRANT SELECT ON transactions_feerule TO cs_definer;

-- A rule's terms never change. It comes into force only under a used approval of its own, and ends for good.
CREATE FUNCTION fee_rule_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_rule text;
BEGIN
    IF tg_op = 'INSERT' THEN
        IF new.state <> 'proposed' THEN v_rule := 'fee_rule_begins_proposed'; END IF;
    ELSIF (old.partner_id, old.book_id, old.kind, old.currency, old.flat_minor, old.bps, old.minimum_minor, old.cap_minor,
        old.approval_id, old.proposed_by, old.proposed_at, coalesce(old.version, new.version),
        coalesce(old.account_id, new.account_id), coalesce(old.begins_at, new.begins_at))
        IS DISTINCT FROM
        (new.partner_id, new.book_id, new.kind, new.currency, new.flat_minor, new.bps, new.minimum_minor, new.cap_minor,
        new.approval_id, new.proposed_by, new.proposed_at, new.version, new.account_id, new.begins_at)
    THEN
        v_rule := 'fee_rule_fixed';
    ELSIF old.state <> new.state AND (old.state, new.state) NOT IN (
        ('proposed', 'in_force'), ('proposed', 'declined'), ('in_force', 'ended'))
    THEN
        v_rule := 'fee_rule_moves_forward';
    ELSIF old.state = 'proposed' AND new.state = 'in_force' AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval AS a
        WHERE a.id = new.approval_id AND a.state = 'used' AND a.action = 'transactions.adopt_fee_rule'
            AND a.subject_ref = 'feerule:' || new.id
            AND (a.payload ->> 'flat_minor', a.payload ->> 'bps', a.payload ->> 'minimum_minor', a.payload ->> 'cap_minor')
            IS NOT DISTINCT FROM (new.flat_minor::text, new.bps::text, new.minimum_minor::text, new.cap_minor::text))
    THEN
        v_rule := 'fee_rule_signed';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, new.id); END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION fee_rule_keep_faith() OWNER TO cs_definer;
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON transactions_feerule
FOR EACH ROW EXECUTE FUNCTION fee_rule_keep_faith();

-- What a transfer is charged is settled when it is decided: for a scheduled one, when its time has come.
CREATE TRIGGER keep_fee BEFORE UPDATE ON transactions_transfer
FOR EACH ROW WHEN (
    old.state <> 'scheduled'
    AND (old.fee_minor <> new.fee_minor OR old.fee_rule_id IS DISTINCT FROM new.fee_rule_id)
) EXECUTE FUNCTION transfer_keep_order();

-- As before, and: the fees in force for the account's partner and currency, [{kind, rule, account, flat, bps, least, most}].
DROP FUNCTION ledger_stand(uuid[], uuid);
-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now, with its limits: [{window, most, used}]. Today is UTC's; what failed or was called off is
-- not used, nor what was taken over from former books. With p_book, other books' accounts are neither locked nor told.
CREATE FUNCTION ledger_stand(p_accounts uuid[], p_book uuid DEFAULT NULL) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    held_back_minor bigint, frozen smallint, is_active boolean, threshold_minor bigint, limits jsonb, told_at timestamptz, fees jsonb
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
        ), clock_timestamp(), (
            SELECT jsonb_agg(jsonb_build_object('kind', r.kind, 'rule', r.id, 'account', r.account_id, 'flat', r.flat_minor,
                'bps', r.bps, 'least', r.minimum_minor, 'most', r.cap_minor))
            FROM public.transactions_feerule AS r
            WHERE r.book_id = b.book_id AND r.currency = a.currency AND r.state = 'in_force'
        )
    FROM public.transactions_balance AS b
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
    LEFT JOIN public.accounts_partner AS p ON p.book_id = b.book_id
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book);
END;
$$;
ALTER FUNCTION ledger_stand(uuid[], uuid) OWNER TO cs_definer;
