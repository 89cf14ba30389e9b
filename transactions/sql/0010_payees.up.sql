-- Money goes where two people said. A payee enters the register, and is paid elsewhere, only with a used approval
-- of exactly these details; then the database lets them cool, by its own clock.
CREATE FUNCTION payee_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_rule text;
    v_is_new boolean := false;
    v_wanted text := 'transactions.activate_payee';
BEGIN
    IF tg_op = 'INSERT' THEN
        IF new.state <> 'proposed' OR new.version <> 1 OR new.payable_from IS NOT NULL OR new.details_at IS NOT NULL THEN
            PERFORM public.ledger_refuse('payee_begins_proposed', new.id);
        END IF;
    ELSIF (old.id, old.partner_id, old.book_id, old.alias, old.proposed_by)
        IS DISTINCT FROM (new.id, new.partner_id, new.book_id, new.alias, new.proposed_by)
    THEN
        v_rule := 'payee_fixed';
    ELSIF new.state <> old.state AND (old.state, new.state) NOT IN (
        ('proposed', 'active'), ('proposed', 'declined'), ('active', 'retired'))
    THEN
        v_rule := 'payee_moves_forward';
    ELSIF (old.name_id, old.iban_id, old.iban_blind, old.version)
        IS DISTINCT FROM (new.name_id, new.iban_id, new.iban_blind, new.version)
    THEN
        v_is_new := true;
        v_wanted := 'transactions.change_payee';
        IF old.state <> 'active' OR new.state <> 'active' OR new.version <> old.version + 1 OR NOT EXISTS (
            SELECT 1 FROM public.transactions_payeechange AS c
            INNER JOIN public.accounts_approval AS a ON a.id = c.approval_id
            WHERE c.payee_id = new.id AND c.version = new.version AND c.name_id = new.name_id
                AND c.iban_id = new.iban_id AND c.iban_blind = new.iban_blind AND a.state = 'used')
        THEN
            v_rule := 'payee_signed';
        END IF;
    ELSIF new.state = 'active' AND old.state = 'proposed' THEN
        v_is_new := true;
    ELSIF (old.details_at, old.payable_from) IS DISTINCT FROM (new.details_at, new.payable_from) THEN
        v_rule := 'payee_cools';
    END IF;
    IF v_rule IS NULL AND v_is_new AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval AS a
        INNER JOIN public.accounts_vaultrecord AS v ON v.id = new.iban_id
        WHERE a.subject_ref = 'registeredpayee:' || new.id AND a.action = v_wanted AND a.state = 'used'
            AND a.payload ->> 'payee_token' = new.iban_id::text AND v.blind = new.iban_blind)
    THEN
        v_rule := 'payee_signed';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, new.id); END IF;
    IF v_is_new THEN
        new.details_at := clock_timestamp();
        SELECT new.details_at + make_interval(hours => p.payee_cooling_hours) INTO new.payable_from
        FROM public.accounts_partner AS p WHERE p.id = new.partner_id;
    END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION payee_keep_faith() OWNER TO cs_definer;
GRANT SELECT ON transactions_payeechange, accounts_partner, accounts_vaultrecord TO cs_definer;
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON transactions_registeredpayee
FOR EACH ROW EXECUTE FUNCTION payee_keep_faith();
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_payeechange
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CALL audit_guard('transactions_registeredpayee', 'transactions_historicalregisteredpayee');
CALL audit_witness('transactions_payeechange');
