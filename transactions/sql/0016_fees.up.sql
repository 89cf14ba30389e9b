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
            AND (a.payload ->> 'kind', a.payload ->> 'currency', a.payload ->> 'flat_minor', a.payload ->> 'bps',
                a.payload ->> 'minimum_minor', a.payload ->> 'cap_minor')
            IS NOT DISTINCT FROM (new.kind::text, new.currency::text, new.flat_minor::text, new.bps::text,
                new.minimum_minor::text, new.cap_minor::text))
    THEN
        v_rule := 'fee_rule_signed';
    END IF;
    IF v_rule IS NULL AND new.account_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM public.transactions_ledgeraccount AS a
        WHERE a.id = new.account_id AND a.book_id = new.book_id AND a.currency = new.currency AND a.code = 'fees:house')
    THEN
        v_rule := 'fee_goes_to_the_house';
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

-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now. With p_book, other books' accounts are neither locked nor told.
-- For a caller who is about to spend, of p_kinds at most p_amount in at most p_times, the limits come with it: those of each
-- account as `limits_told` tells them, and with the first account of each book and currency those of its partner; the slice
-- is where the use of a partner's is to be counted. Their locks come last, after the balances'. The fees in force for its
-- partner and currency come with each account: [{kind, rule, account, flat, bps, least, most}].
DROP FUNCTION ledger_stand(uuid[], uuid, text[], numeric, integer);
CREATE FUNCTION ledger_stand(
    p_accounts uuid[], p_book uuid DEFAULT NULL, p_kinds text[] DEFAULT NULL, p_amount numeric DEFAULT NULL, p_times integer DEFAULT NULL
) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    held_back_minor bigint, frozen smallint, is_active boolean, threshold_minor bigint, told_at timestamptz, limits jsonb,
    partner_limits jsonb, slice integer, fees jsonb
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now timestamptz;
    v_day date;
    v_entered jsonb := '{}';
    v_pool record;
BEGIN
    PERFORM 1 FROM public.transactions_balance AS b
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book)
    ORDER BY b.account_id FOR NO KEY UPDATE;
    v_now := clock_timestamp();
    v_day := (v_now AT TIME ZONE 'UTC')::date;
    IF p_kinds IS NOT NULL THEN
        FOR v_pool IN
            SELECT DISTINCT b.book_id AS book, a.currency AS money FROM public.transactions_balance AS b
            INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
            WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book)
                AND coalesce(nullif(current_setting('app.book', true), ''), b.book_id::text) = b.book_id::text -- who spends
            ORDER BY b.book_id, a.currency
        LOOP
            v_entered := v_entered || jsonb_build_object(v_pool.book || v_pool.money,
                public.limits_enter(v_pool.book, v_pool.money, v_day, p_kinds, p_amount, p_times));
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT b.account_id, b.book_id, a.currency, b.posted_minor, b.pending_minor, b.floor_minor, b.held_back_minor, b.frozen,
        coalesce(p.is_active, true), coalesce(p.approval_threshold_minor, 0), v_now,
        CASE WHEN p_kinds IS NOT NULL AND EXISTS (SELECT 1 FROM public.transactions_limit AS l WHERE l.account_id = b.account_id)
            THEN (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id) FROM public.limits_told(b.book_id, b.account_id, a.currency, v_day) AS t) END,
        CASE WHEN row_number() OVER (PARTITION BY b.book_id, a.currency ORDER BY b.account_id) = 1
            THEN v_entered -> (b.book_id || a.currency) -> 'limits' END,
        (v_entered -> (b.book_id || a.currency) ->> 'slice')::integer, (
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

ALTER FUNCTION ledger_stand(uuid[], uuid, text[], numeric, integer) OWNER TO cs_definer;

-- Gives back what of a hold is released, however it is, on the day that it counts on; that it was at all only where none of
-- it was captured. What has left every window, or never counted, has no counter.
CREATE OR REPLACE FUNCTION limits_give_back() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_currency text := (SELECT a.currency FROM public.transactions_ledgeraccount AS a WHERE a.id = new.account_id);
    v_day date := (new.created_at AT TIME ZONE 'UTC')::date;
    v_kind text := CASE WHEN new.transfer_id IS NULL THEN 'hold' ELSE 'payout' END;
    v_times integer := CASE WHEN new.released_minor = new.amount_minor THEN 1 ELSE 0 END;
    -- Limits are on the amount alone: a fee was reserved beside it, and goes back with the whole.
    v_amount numeric := new.released_minor - old.released_minor - v_times * coalesce(
        (SELECT t.fee_minor FROM public.transactions_transfer AS t WHERE t.id = new.transfer_id), 0);
BEGIN
    PERFORM 1 FROM public.transactions_balance AS b WHERE b.account_id = new.account_id FOR NO KEY UPDATE;
    UPDATE public.transactions_limituse AS c SET amount_minor = c.amount_minor - v_amount, times = c.times - v_times
    WHERE c.subject_id = new.account_id AND c.currency = v_currency AND c.day = v_day AND c.kind = v_kind AND c.slice = 0;
    PERFORM pg_advisory_xact_lock_shared(public.limits_lock(new.book_id, v_currency, 0));
    IF public.limits_counted(new.book_id, NULL, v_currency) AND v_day > (clock_timestamp() AT TIME ZONE 'UTC')::date - 30 THEN
        INSERT INTO public.transactions_limituse AS c (subject_id, currency, day, kind, slice, amount_minor, times)
        VALUES (new.book_id, v_currency, v_day, v_kind, public.limits_slice(new.book_id, v_currency), -v_amount, -v_times)
        ON CONFLICT (subject_id, currency, day, kind, slice) DO UPDATE
        SET amount_minor = c.amount_minor + excluded.amount_minor, times = c.times + excluded.times;
    END IF;
    RETURN NULL;
END;
$$;

-- What counts of an account, or without one of a partner's money in a currency, in thirty days: what was moved inside on
-- the day it settled, what was reserved on the day it was, less what was released. What was taken over from former books
-- was not asked for here, and does not count.
CREATE OR REPLACE FUNCTION limits_used(p_book uuid, p_account uuid, p_currency text)
RETURNS TABLE (day date, kind text, amount_minor numeric, times bigint) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (m.at AT TIME ZONE 'UTC')::date, m.kind, sum(m.amount), count(*) FILTER (WHERE m.is_one)
    FROM (
        SELECT t.settled_at AS at, t.kind::text AS kind, t.amount_minor AS amount, true AS is_one
        FROM public.transactions_transfer AS t
        WHERE t.book_id = p_book AND (t.source_id = p_account OR p_account IS NULL) AND t.currency = p_currency
            AND t.kind IN ('internal', 'partner') AND t.settled_at >= now() - interval '31 days' AND t.occurred_at = t.requested_at
        UNION ALL
        SELECT h.created_at, CASE WHEN t.id IS NULL THEN 'hold' ELSE 'payout' END, h.amount_minor - h.released_minor
                - CASE WHEN h.released_minor < h.amount_minor THEN coalesce(t.fee_minor, 0) ELSE 0 END,
            h.released_minor < h.amount_minor
        FROM public.transactions_hold AS h
        INNER JOIN public.transactions_ledgeraccount AS a ON a.id = h.account_id
        LEFT JOIN public.transactions_transfer AS t ON t.id = h.transfer_id
        WHERE h.book_id = p_book AND (h.account_id = p_account OR p_account IS NULL) AND a.currency = p_currency
            AND h.created_at >= now() - interval '31 days' AND (t.id IS NULL OR t.occurred_at = t.requested_at)
    ) AS m
    WHERE (m.at AT TIME ZONE 'UTC')::date > (now() AT TIME ZONE 'UTC')::date - 30
    GROUP BY (m.at AT TIME ZONE 'UTC')::date, m.kind
$$;
