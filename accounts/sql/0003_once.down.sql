DROP FUNCTION mailbox_leave(jsonb);
CREATE FUNCTION mailbox_leave(
    p_id uuid, p_book uuid, p_type text, p_payload jsonb, p_trace text, p_occurred_at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.accounts_letter (id, book_id, type, payload, trace_id, occurred_at, recorded_at, xact)
    VALUES (p_id, p_book, p_type, p_payload, p_trace, p_occurred_at, clock_timestamp(), pg_current_xact_id()::text::bigint);
$$;
ALTER FUNCTION mailbox_leave(uuid, uuid, text, jsonb, text, timestamptz) OWNER TO cs_definer;
DROP FUNCTION idempotency_keep(uuid, uuid, text, bytea, bytea, text, integer, bytea);
DROP FUNCTION idempotency_claim(bigint, text, bytea);
DROP FUNCTION api_speaker(text);
