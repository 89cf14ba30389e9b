-- The path of one transfer with fewer and smaller plans: see docs/adr/0018-fewer-plans.md. What is refused stays as it was.

-- Small questions are inlined into whoever asks: bodies fixed when they are made need no search path of their own.
CREATE OR REPLACE FUNCTION limits_lock(p_book uuid, p_currency text, p_number integer) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN hashtextextended('limits:' || p_book::text || p_currency, p_number);

-- Whether anything is limited on an account (p_account), or on all of a partner's money in a currency (without one):
-- then, and only then, its use is counted.
CREATE OR REPLACE FUNCTION limits_counted(p_book uuid, p_account uuid, p_currency text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT 1 FROM public.transactions_limit AS l
    WHERE l.book_id = p_book AND p_account IS NULL AND l.account_id IS NULL AND l.currency = p_currency
        AND num_nonnulls(l.amount_max_minor, l.count_max) > 0
) OR EXISTS (
    SELECT 1 FROM public.transactions_limit AS l
    WHERE l.account_id = p_account AND num_nonnulls(l.amount_max_minor, l.count_max) > 0
);

-- The limits in force on an account, or without one those on all of a partner's money in a currency, and what is used
-- of each in the window that ends on a day.
CREATE OR REPLACE FUNCTION limits_told(p_book uuid, p_account uuid, p_currency text, p_day date) RETURNS TABLE (
    id uuid, account_id uuid, kind varchar, "window" varchar, amount_max_minor bigint, count_max bigint, amount_used_minor numeric, count_used numeric
) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        l.id,
        l.account_id,
        l.kind,
        l."window",
        l.amount_max_minor,
        l.count_max,
        coalesce(u.amount, 0) AS amount_used_minor,
        coalesce(u.times, 0) AS count_used
    FROM (
        SELECT * FROM public.transactions_limit AS l
        WHERE
            l.book_id = p_book AND p_account IS NULL AND l.account_id IS NULL AND l.currency = p_currency
        UNION ALL
        SELECT * FROM public.transactions_limit AS l
        WHERE l.account_id = p_account
    ) AS l
    LEFT JOIN LATERAL (
        SELECT
            sum(c.amount_minor) AS amount,
            sum(c.times) AS times
        FROM public.transactions_limituse AS c
        WHERE
            c.subject_id = coalesce(p_account, p_book) AND c.currency = p_currency
            AND c.day > p_day - CASE l."window" WHEN 'day' THEN 1 ELSE 30 END
            AND (l.kind = 'any' OR c.kind = l.kind)
    ) AS u ON l."window" <> 'transfer'
    WHERE num_nonnulls(l.amount_max_minor, l.count_max) > 0;
END;

-- What is inlined into it is planned with it, whatever the tables' sizes were then.
ALTER FUNCTION limits_use(jsonb) SET enable_seqscan = off;
ALTER FUNCTION limits_use(jsonb) SET enable_hashjoin = off;
ALTER FUNCTION limits_use(jsonb) SET enable_mergejoin = off;

-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now. With p_book, other books' accounts are neither locked nor told.
-- For a caller who is about to spend from p_spenders, of p_kinds at most p_amount in at most p_times, the limits come with
-- these: each account's own as `limits_told` tells them, and its partner's; the slice is where the use of a partner's is to
-- be counted. Their locks come last, after the balances'. The fees in force for its partner and currency come with each
-- account: [{kind, rule, account, flat, bps, least, most}].
DROP FUNCTION ledger_stand(uuid[], uuid, text[], numeric, integer);
CREATE FUNCTION ledger_stand(
    p_accounts uuid[], p_book uuid DEFAULT NULL, p_spenders uuid[] DEFAULT NULL, p_kinds text[] DEFAULT NULL,
    p_amount numeric DEFAULT NULL, p_times integer DEFAULT NULL
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
    IF p_spenders IS NOT NULL THEN
        FOR v_pool IN
            SELECT DISTINCT a.book_id AS book, a.currency AS money FROM public.transactions_ledgeraccount AS a
            WHERE a.id = ANY(p_spenders) AND a.id = ANY(p_accounts) AND a.keeps_balance AND (p_book IS NULL OR a.book_id = p_book)
            ORDER BY a.book_id, a.currency
        LOOP
            v_entered := v_entered || jsonb_build_object(v_pool.book || v_pool.money,
                public.limits_enter(v_pool.book, v_pool.money, v_day, p_kinds, p_amount, p_times));
        END LOOP;
    END IF;
    RETURN QUERY
    SELECT b.account_id, b.book_id, a.currency, b.posted_minor, b.pending_minor, b.floor_minor, b.held_back_minor, b.frozen,
        coalesce(p.is_active, true), coalesce(p.approval_threshold_minor, 0), v_now,
        CASE WHEN b.account_id = ANY(p_spenders) THEN (
            SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id) FROM public.limits_told(b.book_id, b.account_id, a.currency, v_day) AS t
        ) END,
        v_entered -> (b.book_id || a.currency) -> 'limits', (v_entered -> (b.book_id || a.currency) ->> 'slice')::integer, (
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
ALTER FUNCTION ledger_stand(uuid[], uuid, uuid[], text[], numeric, integer) OWNER TO cs_definer;

-- Writes journals with their lines, in their order and all or none, and returns their ids.
CREATE OR REPLACE FUNCTION ledger_post(p_journals jsonb, p_lines jsonb) RETURNS uuid[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_acting uuid := nullif(current_setting('app.book', true), '');
    v_ids uuid[];
    v_books uuid[];
    v_times timestamptz[];
BEGIN
    PERFORM 1 FROM public.transactions_balance
    WHERE account_id = ANY(ARRAY(SELECT (l ->> 'account')::uuid FROM jsonb_array_elements(p_lines) AS l))
    ORDER BY account_id FOR NO KEY UPDATE;
    WITH told AS MATERIALIZED (
        SELECT uuidv7() AS id, j.* FROM jsonb_to_recordset(p_journals) AS j (
            book uuid, purpose text, subject text, origin text, reverses uuid, trace text, occurred_at timestamptz)
    ), origins AS (
        INSERT INTO public.transactions_journalorigin (origin, journal_id, reverses) SELECT origin, id, reverses FROM told
    ), journals AS (
        INSERT INTO public.transactions_journal
            (id, book_id, purpose, subject_ref, origin, reverses, trace_id, occurred_at)
        SELECT id, book, purpose, subject, origin, reverses, trace, occurred_at FROM told
    )
    SELECT array_agg(id ORDER BY id), array_agg(book ORDER BY id), array_agg(occurred_at ORDER BY id)
    INTO v_ids, v_books, v_times FROM told;
    IF v_acting <> ANY(v_books) THEN PERFORM public.ledger_check_book(b) FROM unnest(v_books) AS b; END IF;
    IF public.ledger_write_lines(p_lines, v_ids, v_books, v_times) <> cardinality(v_ids) THEN
        PERFORM public.ledger_refuse('ledger_too_few_lines', v_books[1]);
    END IF;
    RETURN v_ids;
END;
$$;

-- Writes lines and moves balances; returns how many of the journals had any. Accounts are locked: each line sees what
-- the lines before it left.
DROP FUNCTION ledger_write_lines(jsonb, uuid[], uuid[], timestamptz[]);
CREATE FUNCTION ledger_write_lines(p_lines jsonb, p_ids uuid[], p_books uuid[], p_times timestamptz[]) RETURNS integer
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
ALTER FUNCTION ledger_write_lines(jsonb, uuid[], uuid[], timestamptz[]) OWNER TO cs_definer;
