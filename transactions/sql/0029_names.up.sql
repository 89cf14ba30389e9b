-- A name that others go by is one partner's, or one account's, for good. Consents and inter-book clearing know a partner by its
-- short name, payers an account by its alias: whoever got either after somebody else would get what the other was trusted with.
CREATE FUNCTION name_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM public.ledger_refuse(tg_argv[0], old.id);
    RETURN NULL;
END;
$$;
ALTER FUNCTION name_keep_faith() OWNER TO cs_definer;

-- Inter-book accounts are `interbook:<name>`, and the house's own book is called `house` there.
ALTER TABLE accounts_partner ADD CONSTRAINT partner_name_plain CHECK (slug ~ '^[-a-zA-Z0-9_]+$' AND slug <> 'house');

-- What a partner is called may change; the name is free again only with the row, so the row stays.
CREATE TRIGGER keep_name BEFORE UPDATE ON accounts_partner
FOR EACH ROW WHEN ((old.slug, old.book_id) IS DISTINCT FROM (new.slug, new.book_id))
EXECUTE FUNCTION name_keep_faith('partner_named_once');
CREATE TRIGGER keep_row BEFORE DELETE ON accounts_partner
FOR EACH ROW EXECUTE FUNCTION name_keep_faith('partner_named_once');

CREATE TRIGGER keep_name BEFORE UPDATE ON accounts_account
FOR EACH ROW WHEN (
    (old.alias, old.book_id, old.partner_id, old.currency) IS DISTINCT FROM (new.alias, new.book_id, new.partner_id, new.currency)
)
EXECUTE FUNCTION name_keep_faith('account_named_once');
CREATE TRIGGER keep_row BEFORE DELETE ON accounts_account
FOR EACH ROW EXECUTE FUNCTION name_keep_faith('account_named_once');

CREATE TRIGGER keep_name BEFORE UPDATE ON transactions_ledgeraccount
FOR EACH ROW WHEN (old IS DISTINCT FROM new)
EXECUTE FUNCTION name_keep_faith('ledger_account_named_once');
