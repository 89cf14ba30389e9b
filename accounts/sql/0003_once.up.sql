-- Callers, keys and letters in one statement each, however many.

-- Who speaks with an access token that is valid now: a live client of a live partner. Nobody without one. Everything is
-- looked up anew for every call, so that a client, partner or token that is stopped is stopped at once.
CREATE FUNCTION api_speaker(p_token_hash text) RETURNS TABLE (
    client_id uuid, client_name varchar, client_key varchar, networks jsonb, partner_id uuid, partner_name varchar,
    book_id uuid, token_id bigint, scopes text
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT c.id, c.name, c.client_id, c.networks, p.id, p.name, p.book_id, t.id, t.scopes
    FROM public.allauth_idp_oidc_token AS t
    INNER JOIN public.allauth_idp_oidc_client AS o ON o.id = t.client_id
    INNER JOIN public.accounts_apiclient AS c ON c.client_id = t.client_id
    INNER JOIN public.accounts_partner AS p ON p.id = c.partner_id
    INNER JOIN public.accounts_user AS u ON u.id = c.service_user_id
    WHERE t.hash = p_token_hash AND t.type = 'at' AND t.user_id IS NULL AND o.type = 'confidential'
        AND (t.expires_at IS NULL OR t.expires_at > now()) AND (c.expires_at IS NULL OR c.expires_at > now())
        AND c.is_active AND p.is_active AND u.is_active;
END;
$$;

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
