-- The partners' door writes in the name of a book, or not at all.

-- A transaction that acts for one book must not write into another. The partners' door always acts for one: a call of its
-- login that names none has not come through a command, and may write nowhere.
CREATE OR REPLACE FUNCTION ledger_check_book(p_book uuid) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_acting text := nullif(current_setting('app.book', true), '');
BEGIN
    IF v_acting IS NULL AND session_user = 'cs_api' OR v_acting::uuid <> p_book THEN
        PERFORM public.ledger_refuse('ledger_foreign_book', p_book);
    END IF;
END;
$$;

-- Writes journals with their lines, in their order and all or none, and returns their ids: into the acting book, where one
-- is named, and no other. Whoever calls it has locked nothing and decided into which books it may write.
CREATE FUNCTION ledger_write(p_journals jsonb, p_lines jsonb, p_acting uuid) RETURNS uuid[] LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
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
    IF p_acting <> ANY(v_books) THEN PERFORM public.ledger_check_book(b) FROM unnest(v_books) AS b; END IF;
    IF public.ledger_write_lines(p_lines, v_ids, v_books, v_times) <> cardinality(v_ids) THEN
        PERFORM public.ledger_refuse('ledger_too_few_lines', v_books[1]);
    END IF;
    RETURN v_ids;
END;
$$;
ALTER FUNCTION ledger_write(jsonb, jsonb, uuid) OWNER TO cs_definer;

-- Writes journals with their lines, in their order and all or none, and returns their ids. In the name of one book into no other.
CREATE OR REPLACE FUNCTION ledger_post(p_journals jsonb, p_lines jsonb) RETURNS uuid[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_acting uuid := nullif(current_setting('app.book', true), '');
BEGIN
    IF v_acting IS NULL THEN PERFORM public.ledger_check_book((p_journals -> 0 ->> 'book')::uuid); END IF;
    RETURN public.ledger_write(p_journals, p_lines, v_acting);
END;
$$;

-- Posts the journals of one passage: the first in the acting book, the others in those it passes into. In another book
-- money only arrives, on an account whose owner consents now, against that book's clearing with the acting one; what is
-- reserved there is not touched, and nothing undone.
CREATE OR REPLACE FUNCTION ledger_pass(p_journals jsonb, p_lines jsonb) RETURNS uuid[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_giver uuid := (p_journals -> 0 ->> 'book')::uuid;
    v_slug text;
    v_strange uuid;
BEGIN
    PERFORM public.ledger_check_book(v_giver);
    PERFORM 1 FROM public.transactions_balance
    WHERE account_id IN (SELECT l.account FROM jsonb_to_recordset(p_lines) AS l (account uuid))
    ORDER BY account_id FOR NO KEY UPDATE;
    SELECT slug INTO v_slug FROM public.accounts_partner WHERE book_id = v_giver;
    SELECT l.account INTO v_strange FROM jsonb_to_recordset(p_lines) AS l (account uuid, amount bigint, release bigint)
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = l.account
    WHERE a.book_id <> v_giver AND CASE
        WHEN coalesce(l.release, 0) <> 0 THEN true
        WHEN a.keeps_balance THEN l.amount < 0 OR NOT EXISTS (
            SELECT 1 FROM public.transactions_payinconsent AS c
            WHERE c.account_id = a.id AND c.payer = v_slug AND c.withdrawn_at IS NULL)
        ELSE l.amount > 0 OR a.code IS DISTINCT FROM 'interbook:' || v_slug
    END
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT j.book INTO v_strange FROM jsonb_to_recordset(p_journals) AS j (book uuid, purpose text, reverses uuid)
        WHERE j.book <> v_giver AND (j.reverses IS NOT NULL OR j.purpose IS DISTINCT FROM 'partner_transfer') LIMIT 1;
    END IF;
    IF FOUND THEN PERFORM public.ledger_refuse('ledger_no_consent', v_strange); END IF;
    RETURN public.ledger_write(p_journals, p_lines, NULL);
END;
$$;

-- Counts what was decided, in the transaction that moves it and in the acting book only: [{subject, book, currency, kind, day,
-- slice, amount, times}], the subject an account or, with its book's id, a partner. And checks it again against every limit: one
-- that is passed, as it stands with all of these counted, is what the refusal tells, for those who decided on an older reading.
CREATE OR REPLACE FUNCTION limits_use(p_uses jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_passed jsonb;
BEGIN
    INSERT INTO public.transactions_limituse AS c (subject_id, currency, day, kind, slice, amount_minor, times)
    SELECT u.subject, u.currency, u.day, u.kind, u.slice, u.amount, u.times
    FROM jsonb_to_recordset(p_uses) AS u (
        subject uuid, book uuid, currency text, kind text, day date, slice integer, amount numeric, times bigint)
    CROSS JOIN LATERAL public.ledger_check_book(u.book)
    WHERE u.amount > 0 AND u.times > 0
    ORDER BY u.subject, u.currency, u.day, u.kind, u.slice
    ON CONFLICT (subject_id, currency, day, kind, slice) DO UPDATE
    SET amount_minor = c.amount_minor + excluded.amount_minor, times = c.times + excluded.times;
    SELECT to_jsonb(l) || jsonb_build_object('book_id', u.book, 'currency', u.currency) INTO v_passed
    FROM jsonb_to_recordset(p_uses) AS u (subject uuid, book uuid, currency text, kind text, day date)
    CROSS JOIN LATERAL public.limits_told(u.book, nullif(u.subject, u.book), u.currency, u.day) AS l
    WHERE l.kind IN ('any', u.kind) AND (l.amount_used_minor > l.amount_max_minor OR l.count_used > l.count_max)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LG004', MESSAGE = format('limit_kept: %s', v_passed ->> 'id'), CONSTRAINT = 'limit_kept', DETAIL = v_passed::text;
    END IF;
END;
$$;
