-- News of providers, many pieces at once: rows are stored as they were decided, new ones and known ones alike.
-- Each runs with the rights of whoever calls it. What a payment, dispute or payout is called and worth never changes,
-- but that a charge takes over the row of its intent.
CREATE FUNCTION payments_store(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.transactions_payment
    SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_payment, p_rows)
    ON CONFLICT (id) DO UPDATE SET
        book_id = excluded.book_id, account_id = excluded.account_id, reference = excluded.reference,
        intent_ref = excluded.intent_ref, state = excluded.state, failure_code = excluded.failure_code,
        booked_minor = excluded.booked_minor, refunded_minor = excluded.refunded_minor,
        disputed_minor = excluded.disputed_minor;
END;
$$;

CREATE FUNCTION disputes_store(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.transactions_dispute
    SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_dispute, p_rows)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state;
END;
$$;

CREATE FUNCTION payouts_store(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.transactions_providerpayout
    SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_providerpayout, p_rows)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, failure_code = excluded.failure_code;
END;
$$;
