-- Counts what was decided, in the transaction that moves it: [{subject, book, currency, kind, day, slice, amount, times}],
-- the subject an account or, with its book's id, a partner. And checks it again against every limit.
CREATE OR REPLACE FUNCTION limits_use(p_uses jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
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
