-- What finance proposes by hand is inserted once, seen by its witness, and never changed by anyone.
CREATE FUNCTION proposal_keep_faith() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LG002', MESSAGE = format('proposal_fixed: %s', old.id), CONSTRAINT = 'proposal_fixed',
        DETAIL = old.id::text;
END;
$$;
ALTER FUNCTION proposal_keep_faith() OWNER TO cs_definer;
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_journalproposal
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_proposedline
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CALL audit_witness('transactions_journalproposal');
CALL audit_witness('transactions_proposedline');

-- A journal by hand is in the books only with a used approval for it, whose lines, as the second person saw
-- them, are the postings: not one more, less or other.
CREATE FUNCTION journal_require_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF new.origin <> 'manual:' || split_part(new.subject_ref, ':', 2) OR NOT EXISTS (
        SELECT 1 FROM public.accounts_approval AS a
        WHERE a.subject_ref = new.subject_ref AND a.book_id = new.book_id AND a.state = 'used'
            AND a.action = 'transactions.post_manual_journal' AND NOT EXISTS (
                SELECT 1 FROM (
                    SELECT account_id, amount_minor, currency::text, 1 AS side
                    FROM public.transactions_posting WHERE journal_id = new.id
                    UNION ALL
                    SELECT (l ->> 'key')::uuid, (l ->> 'amount_minor')::bigint, l ->> 'currency', -1
                    FROM jsonb_array_elements(a.payload -> 'lines') AS l
                ) AS lines
                GROUP BY account_id, amount_minor, currency HAVING sum(side) <> 0
            )
    ) THEN
        PERFORM public.ledger_refuse('journal_signed', new.id);
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION journal_require_signature() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER journal_signed AFTER INSERT ON transactions_journal
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.purpose = 'manual')
EXECUTE FUNCTION journal_require_signature();
