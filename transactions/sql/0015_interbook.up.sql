-- Money from one partner's book to another's, by the giver's word and with the taker's consent.

CALL audit_guard('transactions_payinconsent', 'transactions_historicalpayinconsent');
GRANT SELECT ON transactions_payinconsent, accounts_partner, accounts_account TO cs_definer;

-- A consent's terms never change, and what was withdrawn stays so: whoever consents again gives a new one.
CREATE FUNCTION consent_keep_faith() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (old.book_id, old.account_id, old.payer, old.given_by, old.given_at)
        IS DISTINCT FROM (new.book_id, new.account_id, new.payer, new.given_by, new.given_at)
        OR old.withdrawn_at IS NOT NULL
    THEN
        RAISE EXCEPTION USING ERRCODE = 'LG002', MESSAGE = format('consent_fixed: %s', old.id), CONSTRAINT = 'consent_fixed',
            DETAIL = old.id::text;
    END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION consent_keep_faith() OWNER TO cs_definer;
CREATE TRIGGER keep_faith BEFORE UPDATE ON transactions_payinconsent
FOR EACH ROW EXECUTE FUNCTION consent_keep_faith();

-- The account that takes the money of book p_payer under an alias, by its owner's consent. Nothing, whatever the reason:
-- no such alias, no consent, the payer's own, another currency.
CREATE FUNCTION ledger_payable(p_payer uuid, p_alias text, p_currency text) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM public.ledger_check_book(p_payer);
    RETURN (
        SELECT a.id FROM public.accounts_account AS a
        INNER JOIN public.transactions_payinconsent AS c ON c.account_id = a.id AND c.withdrawn_at IS NULL
        INNER JOIN public.accounts_partner AS p ON p.slug = c.payer AND p.book_id = p_payer
        WHERE a.alias = p_alias AND a.currency = p_currency AND a.book_id <> p_payer
    );
END;
$$;
ALTER FUNCTION ledger_payable(uuid, text, text) OWNER TO cs_definer;

-- Posts the journals of one passage: the first in the acting book, the others in those it passes into. In another book
-- money only arrives, on an account whose owner consents now, against that book's clearing with the acting one; what is
-- reserved there is not touched, and nothing undone.
CREATE FUNCTION ledger_pass(p_journals jsonb, p_lines jsonb) RETURNS uuid[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_acting text := coalesce(current_setting('app.book', true), '');
    v_giver uuid := (p_journals -> 0 ->> 'book')::uuid;
    v_slug text;
    v_strange uuid;
    v_ids uuid[];
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
    PERFORM set_config('app.book', '', true);
    v_ids := public.ledger_post(p_journals, p_lines);
    PERFORM set_config('app.book', v_acting, true);
    RETURN v_ids;
END;
$$;
ALTER FUNCTION ledger_pass(jsonb, jsonb) OWNER TO cs_definer;

-- What a transfer was asked to do never changes (see transfer_keep_faith): nor does the alias it was sent to.
CREATE FUNCTION transfer_keep_order() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM public.ledger_refuse('transfer_order_fixed', old.id);
    RETURN NULL;
END;
$$;
ALTER FUNCTION transfer_keep_order() OWNER TO cs_definer;
CREATE TRIGGER keep_alias BEFORE UPDATE ON transactions_transfer
FOR EACH ROW WHEN (old.destination_alias <> new.destination_alias) EXECUTE FUNCTION transfer_keep_order();
