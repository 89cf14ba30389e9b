ALTER TABLE accounts_apiclient DROP CONSTRAINT client_account_of_partner;

DROP FUNCTION api_speaker(text);
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
