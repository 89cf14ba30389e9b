-- A bank's word on our payouts, many at a time: of rows that are locked, what it may change is stored as it was decided,
-- all of it or nothing.
-- Each runs with the rights of whoever calls it.
CREATE FUNCTION transfers_advance(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE public.transactions_transfer AS t
    SET state = r.state, provider_ref = r.provider_ref, failure_code = r.failure_code, ask_at = r.ask_at,
        settled_at = r.settled_at
    FROM jsonb_populate_recordset(NULL::public.transactions_transfer, p_rows) AS r
    WHERE t.id = r.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> jsonb_array_length(p_rows) THEN
        RAISE EXCEPTION 'of % payouts decided on, % were stored', jsonb_array_length(p_rows), v_count;
    END IF;
END;
$$;

-- What is released goes back to its limits row by row, so in one order for all.
CREATE FUNCTION holds_end(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE public.transactions_hold AS h
    SET state = r.state, captured_minor = r.captured_minor, released_minor = r.released_minor
    FROM (
        SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_hold, p_rows) ORDER BY book_id, account_id
    ) AS r
    WHERE h.id = r.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> jsonb_array_length(p_rows) THEN
        RAISE EXCEPTION 'of % holds decided on, % were stored', jsonb_array_length(p_rows), v_count;
    END IF;
END;
$$;
