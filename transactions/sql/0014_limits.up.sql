-- Limits by what of whom in which window: what is used of them is counted as it is used, and given back by a trigger.
-- An account's counters stand under its balance's lock. A partner's are kept in slices: see docs/adr/0011-limits.md.

-- Limits there were until now, and their versions, get their account's currency. A change of type rewrites the rows in
-- place; nothing is changed that a witness would have to see.
CREATE FUNCTION limits_currency(p_account uuid) RETURNS varchar LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT a.currency FROM public.transactions_ledgeraccount AS a WHERE a.id = p_account $$;
ALTER TABLE transactions_limit ALTER COLUMN currency TYPE varchar(3) USING limits_currency(account_id);
ALTER TABLE transactions_historicallimit ALTER COLUMN currency TYPE varchar(3) USING limits_currency(account_id);
DROP FUNCTION limits_currency(uuid);

-- A limit begins without a maximum. Whom and what it is about never changes; what it allows changes only under an
-- approval of just that, which has been used, and which is newer than the last: none serves twice.
CREATE FUNCTION limit_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_rule text;
BEGIN
    IF tg_op = 'INSERT' THEN
        IF num_nonnulls(new.amount_max_minor, new.count_max, new.changed_under_id) > 0 THEN v_rule := 'limit_changed_by_two'; END IF;
    ELSIF (old.book_id, old.account_id, old.currency, old.kind, old."window")
        IS DISTINCT FROM (new.book_id, new.account_id, new.currency, new.kind, new."window")
    THEN
        v_rule := 'limit_order_fixed';
    ELSIF (old.amount_max_minor, old.count_max, old.changed_under_id)
        IS DISTINCT FROM (new.amount_max_minor, new.count_max, new.changed_under_id)
        AND NOT EXISTS (
            SELECT 1 FROM public.accounts_approval AS a
            WHERE a.id = new.changed_under_id AND (old.changed_under_id IS NULL OR a.id > old.changed_under_id)
                AND a.state = 'used' AND a.action = 'transactions.set_limit' AND a.subject_ref = 'limit:' || new.id
                AND (a.payload ->> 'amount_max_minor')::bigint IS NOT DISTINCT FROM new.amount_max_minor
                AND (a.payload ->> 'count_max')::bigint IS NOT DISTINCT FROM new.count_max
        )
    THEN
        v_rule := 'limit_changed_by_two';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, new.id); END IF;
    RETURN new;
END;
$$;

-- Whether anything is limited on an account (p_account), or on all of a partner's money in a currency (without one):
-- then, and only then, its use is counted.
CREATE FUNCTION limits_counted(p_book uuid, p_account uuid, p_currency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.transactions_limit AS l
        WHERE l.book_id = p_book AND p_account IS NULL AND l.account_id IS NULL AND l.currency = p_currency
            AND num_nonnulls(l.amount_max_minor, l.count_max) > 0
    ) OR EXISTS (
        SELECT 1 FROM public.transactions_limit AS l
        WHERE l.account_id = p_account AND num_nonnulls(l.amount_max_minor, l.count_max) > 0
    )
$$;

-- The limits in force on an account, or without one those on all of a partner's money in a currency, and what is used
-- of each in the window that ends on a day.
CREATE FUNCTION limits_told(p_book uuid, p_account uuid, p_currency text, p_day date) RETURNS TABLE (
    id uuid, account_id uuid, kind varchar, "window" varchar, amount_max_minor bigint, count_max bigint, amount_used_minor numeric, count_used numeric
) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.id, l.account_id, l.kind, l."window", l.amount_max_minor, l.count_max, coalesce(u.amount, 0), coalesce(u.times, 0)
    FROM (
        SELECT * FROM public.transactions_limit AS l
        WHERE l.book_id = p_book AND p_account IS NULL AND l.account_id IS NULL AND l.currency = p_currency
        UNION ALL
        SELECT * FROM public.transactions_limit AS l WHERE l.account_id = p_account
    ) AS l
    LEFT JOIN LATERAL (
        SELECT sum(c.amount_minor) AS amount, sum(c.times) AS times FROM public.transactions_limituse AS c
        WHERE c.subject_id = coalesce(p_account, p_book) AND c.currency = p_currency
            AND c.day > p_day - CASE l."window" WHEN 'day' THEN 1 ELSE 30 END
            AND (l.kind = 'any' OR c.kind = l.kind)
    ) AS u ON l."window" <> 'transfer'
    WHERE num_nonnulls(l.amount_max_minor, l.count_max) > 0
$$;

-- The number of one of a partner's locks: 0 its limits stand still, 1 they are near, from 2 on its slices.
CREATE FUNCTION limits_lock(p_book uuid, p_currency text, p_number integer) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$ SELECT hashtextextended('limits:' || p_book || p_currency, p_number) $$;

-- Takes a slice that nobody has, so that its counters are this transaction's alone until it ends.
CREATE FUNCTION limits_slice(p_book uuid, p_currency text) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_slice integer := pg_backend_pid() % 16;
BEGIN
    FOR v_step IN 0..15 LOOP
        v_slice := (pg_backend_pid() + v_step) % 16;
        IF pg_try_advisory_xact_lock(public.limits_lock(p_book, p_currency, 2 + v_slice)) THEN RETURN v_slice; END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock(public.limits_lock(p_book, p_currency, 2 + v_slice));
    RETURN v_slice;
END;
$$;

-- Goes in among those who spend a partner's money in a currency, at most so much of such kinds, and keeps its limits from
-- changing. Returns {slice, limits}, null where none is set. Who is far from every limit takes a slice: each of the other 15
-- then hides at most a 64th of a limit, the most that may be spent so. Who is near takes turns, and sees everything.
CREATE FUNCTION limits_enter(p_book uuid, p_currency text, p_day date, p_kinds text[], p_amount numeric, p_times integer)
RETURNS jsonb LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_slice integer;
    v_found record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(public.limits_lock(p_book, p_currency, 0));
    IF NOT public.limits_counted(p_book, NULL, p_currency) THEN RETURN NULL; END IF;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(public.limits_lock(p_book, p_currency, 1));
        v_slice := public.limits_slice(p_book, p_currency);
        SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) AS limits, bool_and(
            l."window" = 'transfer' OR l.kind <> 'any' AND l.kind <> ALL (p_kinds)
            OR coalesce(p_amount <= l.amount_max_minor / 64
                AND l.amount_used_minor + p_amount + 15 * (l.amount_max_minor / 64) <= l.amount_max_minor, true)
            AND coalesce(p_times <= l.count_max / 64
                AND l.count_used + p_times + 15 * (l.count_max / 64) <= l.count_max, true)
        ) AS are_far INTO v_found
        FROM public.limits_told(p_book, NULL, p_currency, p_day) AS l;
        IF v_found.are_far THEN
            RETURN jsonb_build_object('slice', v_slice, 'limits', v_found.limits);
        END IF;
        -- Undoes this block, and so lets go of its two locks: whoever kept them while waiting could wait for ever.
        RAISE EXCEPTION USING ERRCODE = 'LG003', MESSAGE = 'near a limit';
    EXCEPTION
        WHEN SQLSTATE 'LG003' THEN NULL;
    END;
    PERFORM pg_advisory_xact_lock(public.limits_lock(p_book, p_currency, 1));
    RETURN jsonb_build_object('slice', 0, 'limits', (
        SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) FROM public.limits_told(p_book, NULL, p_currency, p_day) AS l));
END;
$$;

-- Counts what was decided, in the transaction that moves it: [{subject, book, currency, kind, day, slice, amount, times}],
-- the subject an account or, with its book's id, a partner. And checks it again against every limit.
CREATE FUNCTION limits_use(p_uses jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_passed uuid;
BEGIN
    INSERT INTO public.transactions_limituse AS c (subject_id, currency, day, kind, slice, amount_minor, times)
    SELECT u.subject, u.currency, u.day, u.kind, u.slice, u.amount, u.times
    FROM jsonb_to_recordset(p_uses) AS u (
        subject uuid, currency text, kind text, day date, slice integer, amount numeric, times bigint)
    WHERE u.amount > 0 AND u.times > 0
    ORDER BY u.subject, u.currency, u.day, u.kind, u.slice
    ON CONFLICT (subject_id, currency, day, kind, slice) DO UPDATE
    SET amount_minor = c.amount_minor + excluded.amount_minor, times = c.times + excluded.times;
    SELECT l.id INTO v_passed
    FROM jsonb_to_recordset(p_uses) AS u (subject uuid, book uuid, currency text, kind text, day date)
    CROSS JOIN LATERAL public.limits_told(u.book, nullif(u.subject, u.book), u.currency, u.day) AS l
    WHERE l.kind IN ('any', u.kind) AND (l.amount_used_minor > l.amount_max_minor OR l.count_used > l.count_max)
    LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('limit_kept', v_passed); END IF;
END;
$$;

-- Gives back what of a hold is released, however it is, on the day that it counts on; that it was at all only where none of
-- it was captured. What has left every window, or never counted, has no counter.
CREATE FUNCTION limits_give_back() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_currency text := (SELECT a.currency FROM public.transactions_ledgeraccount AS a WHERE a.id = new.account_id);
    v_day date := (new.created_at AT TIME ZONE 'UTC')::date;
    v_kind text := CASE WHEN new.transfer_id IS NULL THEN 'hold' ELSE 'payout' END;
    v_amount numeric := new.released_minor - old.released_minor;
    v_times integer := CASE WHEN new.released_minor = new.amount_minor THEN 1 ELSE 0 END;
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
CREATE TRIGGER limit_gives_back AFTER UPDATE ON transactions_hold
FOR EACH ROW WHEN (new.released_minor > old.released_minor) EXECUTE FUNCTION limits_give_back();

-- What counts of an account, or without one of a partner's money in a currency, in thirty days: what was moved inside on
-- the day it settled, what was reserved on the day it was, less what was released. What was taken over from former books
-- was not asked for here, and does not count.
CREATE FUNCTION limits_used(p_book uuid, p_account uuid, p_currency text)
RETURNS TABLE (day date, kind text, amount_minor numeric, times bigint) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (m.at AT TIME ZONE 'UTC')::date, m.kind, sum(m.amount), count(*) FILTER (WHERE m.is_one)
    FROM (
        SELECT t.settled_at AS at, 'internal' AS kind, t.amount_minor AS amount, true AS is_one
        FROM public.transactions_transfer AS t
        WHERE t.book_id = p_book AND (t.source_id = p_account OR p_account IS NULL) AND t.currency = p_currency
            AND t.kind = 'internal' AND t.settled_at >= now() - interval '31 days' AND t.occurred_at = t.requested_at
        UNION ALL
        SELECT h.created_at, CASE WHEN t.id IS NULL THEN 'hold' ELSE 'payout' END, h.amount_minor - h.released_minor,
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

-- Counts a limit's subject anew, from what was moved and reserved; not at all where nothing of it is limited any more.
-- Waits for whoever is spending, who keep it waiting until they commit; whoever comes after sees the limit as it is now.
CREATE FUNCTION limits_recount(p_limit uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_limit public.transactions_limit := (SELECT l FROM public.transactions_limit AS l WHERE l.id = p_limit);
    v_subject uuid := coalesce(v_limit.account_id, v_limit.book_id);
BEGIN
    IF v_limit.account_id IS NULL THEN
        PERFORM pg_advisory_xact_lock(public.limits_lock(v_limit.book_id, v_limit.currency, 0));
    ELSE
        PERFORM 1 FROM public.transactions_balance AS b WHERE b.account_id = v_limit.account_id FOR NO KEY UPDATE;
    END IF;
    DELETE FROM public.transactions_limituse AS c WHERE c.subject_id = v_subject AND c.currency = v_limit.currency;
    INSERT INTO public.transactions_limituse (subject_id, currency, day, kind, slice, amount_minor, times)
    SELECT v_subject, v_limit.currency, u.day, u.kind, 0, u.amount_minor, u.times
    FROM public.limits_used(v_limit.book_id, v_limit.account_id, v_limit.currency) AS u
    WHERE public.limits_counted(v_limit.book_id, v_limit.account_id, v_limit.currency);
END;
$$;

-- Brings the slices of days past together, and drops the days that no window reaches. Sums stay as they are at any instant.
CREATE FUNCTION limits_fold() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    v_count integer;
BEGIN
    DELETE FROM public.transactions_limituse AS c WHERE c.day < v_today - 31;
    WITH gone AS (
        DELETE FROM public.transactions_limituse AS c WHERE c.day < v_today AND c.slice <> 0 RETURNING c.*
    )
    INSERT INTO public.transactions_limituse AS c (subject_id, currency, day, kind, slice, amount_minor, times)
    SELECT g.subject_id, g.currency, g.day, g.kind, 0, sum(g.amount_minor), sum(g.times)
    FROM gone AS g GROUP BY g.subject_id, g.currency, g.day, g.kind
    ON CONFLICT (subject_id, currency, day, kind, slice) DO UPDATE
    SET amount_minor = c.amount_minor + excluded.amount_minor, times = c.times + excluded.times;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END;
$$;

-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now. With p_book, other books' accounts are neither locked nor told.
-- For a caller who is about to spend, of p_kinds at most p_amount in at most p_times, the limits come with it: those of each
-- account as `limits_told` tells them, and with the first account of each book and currency those of its partner; the slice
-- is where the use of a partner's is to be counted. Their locks come last, after the balances'.
DROP FUNCTION ledger_stand(uuid[], uuid);
CREATE FUNCTION ledger_stand(
    p_accounts uuid[], p_book uuid DEFAULT NULL, p_kinds text[] DEFAULT NULL, p_amount numeric DEFAULT NULL, p_times integer DEFAULT NULL
) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    held_back_minor bigint, frozen smallint, is_active boolean, threshold_minor bigint, told_at timestamptz, limits jsonb,
    partner_limits jsonb, slice integer
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
        (v_entered -> (b.book_id || a.currency) ->> 'slice')::integer
    FROM public.transactions_balance AS b
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
    LEFT JOIN public.accounts_partner AS p ON p.book_id = b.book_id
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book);
END;
$$;

ALTER TABLE transactions_limituse OWNER TO cs_definer;
ALTER TABLE transactions_limituse SET (fillfactor = 70);
ALTER FUNCTION limit_keep_faith() OWNER TO cs_definer;
ALTER FUNCTION limits_counted(uuid, uuid, text) OWNER TO cs_definer;
ALTER FUNCTION limits_told(uuid, uuid, text, date) OWNER TO cs_definer;
ALTER FUNCTION limits_lock(uuid, text, integer) OWNER TO cs_definer;
ALTER FUNCTION limits_slice(uuid, text) OWNER TO cs_definer;
ALTER FUNCTION limits_enter(uuid, text, date, text[], numeric, integer) OWNER TO cs_definer;
ALTER FUNCTION limits_use(jsonb) OWNER TO cs_definer;
ALTER FUNCTION limits_give_back() OWNER TO cs_definer;
ALTER FUNCTION limits_used(uuid, uuid, text) OWNER TO cs_definer;
ALTER FUNCTION limits_recount(uuid) OWNER TO cs_definer;
ALTER FUNCTION limits_fold() OWNER TO cs_definer;
ALTER FUNCTION ledger_stand(uuid[], uuid, text[], numeric, integer) OWNER TO cs_definer;
SELECT limits_recount(l.id) FROM transactions_limit AS l;
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON transactions_limit
FOR EACH ROW EXECUTE FUNCTION limit_keep_faith();
