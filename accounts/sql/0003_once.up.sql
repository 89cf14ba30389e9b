-- Keys and letters in one statement each, however many.

-- Locks a key until the transaction ends, and tells whether it was used: in_flight, used or free. A crash frees it.
CREATE FUNCTION idempotency_claim(p_lock bigint, p_scope text, p_key bytea) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(p_lock) THEN RETURN 'in_flight'; END IF;
    -- A statement of its own: its snapshot is younger than the lock.
    PERFORM 1 FROM public.accounts_idempotencykey WHERE scope = p_scope AND key_hash = p_key;
    RETURN CASE WHEN FOUND THEN 'used' ELSE 'free' END;
END;
$$;

-- Keeps a key with its answer, in the transaction of what it answers for.
CREATE FUNCTION idempotency_keep(
    p_id uuid, p_book uuid, p_scope text, p_key bytea, p_fingerprint bytea, p_resource text, p_status integer, p_answer bytea
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.accounts_idempotencykey
        (id, book_id, scope, key_hash, fingerprint, resource, status, answer, created_at)
    VALUES (p_id, p_book, p_scope, p_key, p_fingerprint, p_resource, p_status::smallint, p_answer, clock_timestamp());
END;
$$;

-- Letters, once left, are never changed. Clock and transaction are the database's.
DROP FUNCTION mailbox_leave(uuid, uuid, text, jsonb, text, timestamptz);
CREATE FUNCTION mailbox_leave(p_letters jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.accounts_letter (id, book_id, type, payload, trace_id, occurred_at, recorded_at, xact)
    SELECT l.id, l.book, l.type, l.payload, l.trace, l.occurred_at, clock_timestamp(), pg_current_xact_id()::text::bigint
    FROM jsonb_to_recordset(p_letters)
        AS l (id uuid, book uuid, type text, payload jsonb, trace text, occurred_at timestamptz);
END;
$$;
ALTER FUNCTION mailbox_leave(jsonb) OWNER TO cs_definer;
