-- Keeps many keys at once, in the transaction of what was done under them. They have no answers of their own, only
-- the status that one would have had: a resource was made, or a refusal lasts.
--   p_rows: [{id, book, scope, key, fingerprint, resource}], key and fingerprint in hex
CREATE FUNCTION idempotency_keep_many(p_rows jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.accounts_idempotencykey
        (id, book_id, scope, key_hash, fingerprint, resource, status, answer, created_at)
    SELECT r.id, r.book, r.scope, decode(r.key, 'hex'), decode(r.fingerprint, 'hex'), r.resource,
        CASE r.resource WHEN '' THEN 409 ELSE 201 END, NULL, clock_timestamp()
    FROM jsonb_to_recordset(p_rows)
        AS r (id uuid, book uuid, scope text, key text, fingerprint text, resource text);
END;
$$;
GRANT INSERT ON accounts_idempotencykey TO cs_definer;
ALTER FUNCTION idempotency_keep_many(jsonb) OWNER TO cs_definer;
