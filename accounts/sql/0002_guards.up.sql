-- Who may, and whose it is: no row of these changes unseen. Sign-in times and hash upgrades of a
-- login are not acts; a change of what it may do is. Grants on portfolios and team memberships count too.
CALL audit_guard('accounts_person', 'accounts_historicalperson');
CALL audit_guard('accounts_user', 'accounts_historicaluser', 'is_active, is_staff, is_superuser, email, person_id');
CALL audit_guard('accounts_rolegrant', 'accounts_historicalrolegrant');
CALL audit_guard('accounts_partner', 'accounts_historicalpartner');
CALL audit_guard('accounts_apiclient', 'accounts_historicalapiclient');
CALL audit_guard('accounts_portfolio', 'accounts_historicalportfolio');
CALL audit_guard('accounts_customer', 'accounts_historicalcustomer');
CALL audit_guard('accounts_account', 'accounts_historicalaccount');
CALL audit_guard('accounts_freeze', 'accounts_historicalfreeze');
CALL audit_guard('accounts_approval', 'accounts_historicalapproval');
CALL audit_guard('accounts_decision', 'accounts_historicaldecision');
CALL audit_witness('accounts_portfoliouserperm');
CALL audit_witness('accounts_portfoliogroupperm');
CALL audit_witness('accounts_user_groups');
CALL audit_witness('accounts_user_user_permissions');

-- A decision copies its approval's maker, and the copy is the original's: the CHECK compares true parties.
ALTER TABLE accounts_decision ADD CONSTRAINT decision_copies_maker
FOREIGN KEY (approval_id, maker_party) REFERENCES accounts_approval (id, maker_party);

-- An approval begins open, is approved only by a decision that says so, and is used only once approved.
-- What was asked, and by whom, never changes.
CREATE FUNCTION approval_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_old text := CASE tg_op WHEN 'INSERT' THEN 'open' ELSE old.state END;
    v_rule text;
BEGIN
    IF tg_op = 'UPDATE' AND (old.book_id, old.action, old.subject_ref, old.payload, old.payload_hash, old.maker_party)
        IS DISTINCT FROM (new.book_id, new.action, new.subject_ref, new.payload, new.payload_hash, new.maker_party)
    THEN
        v_rule := 'approval_request_fixed';
    ELSIF new.state <> v_old AND (v_old, new.state) NOT IN (
        ('open', 'approved'), ('open', 'rejected'), ('open', 'withdrawn'), ('approved', 'used'))
    THEN
        v_rule := 'approval_moves_forward';
    ELSIF new.state = 'approved' AND v_old = 'open' AND NOT EXISTS (
        SELECT 1 FROM public.accounts_decision WHERE approval_id = new.id AND verdict = 'approve')
    THEN
        v_rule := 'approval_decided';
    END IF;
    IF v_rule IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'AC001', MESSAGE = format('%s: %s', v_rule, new.id), CONSTRAINT = v_rule;
    END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION approval_keep_faith() OWNER TO cs_definer;
GRANT SELECT ON accounts_decision TO cs_definer;
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON accounts_approval
FOR EACH ROW EXECUTE FUNCTION approval_keep_faith();

-- Letters, once left, are never changed. Clock and transaction are the database's.
CREATE FUNCTION mailbox_leave(
    p_id uuid, p_book uuid, p_type text, p_payload jsonb, p_trace text, p_occurred_at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.accounts_letter (id, book_id, type, payload, trace_id, occurred_at, recorded_at, xact)
    VALUES (p_id, p_book, p_type, p_payload, p_trace, p_occurred_at, clock_timestamp(), pg_current_xact_id()::text::bigint);
$$;
ALTER TABLE accounts_letter OWNER TO cs_definer;
ALTER FUNCTION mailbox_leave(uuid, uuid, text, jsonb, text, timestamptz) OWNER TO cs_definer;
CALL audit_append_only('accounts_letter');
