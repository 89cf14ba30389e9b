CREATE OR REPLACE FUNCTION transfer_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (old.book_id, old.kind, old.source_id, old.destination_id, old.payee_name_id, old.payee_iban_id, old.amount_minor,
        old.currency, old.origin, old.approval_id, old.requested_by)
        IS DISTINCT FROM
        (new.book_id, new.kind, new.source_id, new.destination_id, new.payee_name_id, new.payee_iban_id, new.amount_minor,
        new.currency, new.origin, new.approval_id, new.requested_by)
    THEN
        PERFORM public.ledger_refuse('transfer_order_fixed', old.id);
    END IF;
    IF old.state = 'awaiting_approval' AND new.state NOT IN ('awaiting_approval', 'rejected', 'cancelled') AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval WHERE id = old.approval_id AND state = 'used')
    THEN
        PERFORM public.ledger_refuse('transfer_approved', old.id);
    END IF;
    RETURN new;
END;
$$;
DROP TRIGGER journal_reversal ON transactions_journal;
DROP FUNCTION ledger_keep_reversal();
