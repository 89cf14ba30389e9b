-- An account comes into being with its side of the books and a balance, and exactly as two people agreed: under a used approval
-- that names it. Whoever owns the table opens accounts alone: the house is set up before there is anybody to ask.
CREATE FUNCTION account_keep_opening() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_rule text;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM public.transactions_ledgeraccount AS l
        INNER JOIN public.transactions_balance AS b ON b.account_id = l.id
        WHERE l.id = new.id AND l.code = 'account:' || new.alias AND l.currency = new.currency
            AND l.book_id = new.book_id AND b.book_id = new.book_id
    ) THEN
        v_rule := 'account_in_the_books';
    ELSIF NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = tg_relid), 'MEMBER') AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval AS a
        WHERE a.subject_ref = 'account:' || new.id AND a.action = 'transactions.open_account' AND a.state = 'used'
            AND a.book_id = new.book_id
            AND (a.payload ->> 'name', a.payload ->> 'currency', a.payload ->> 'alias', a.payload ->> 'portfolio_key',
                a.payload ->> 'customer_key')
            = (new.name::text, new.currency::text, new.alias::text, new.portfolio_id::text,
                coalesce(new.customer_id::text, ''))
    ) THEN
        v_rule := 'account_opened_by_two';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, new.id); END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION account_keep_opening() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER account_opened AFTER INSERT ON accounts_account
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION account_keep_opening();
