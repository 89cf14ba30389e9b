-- An approval begins open, is approved only by a decision that says so, and is used only once approved.
-- What was approved and cannot be carried out may be taken back. What was asked, and by whom, never changes.
CREATE OR REPLACE FUNCTION approval_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
        ('open', 'approved'), ('open', 'rejected'), ('open', 'withdrawn'), ('approved', 'used'),
        ('approved', 'withdrawn'))
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
