-- Files of transfers: what finance uploads is never changed, and what staff carries out many at a time was signed whole.
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_batchfile
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CALL audit_witness('transactions_batchfile');

-- As before, and: what a batch rests on never changes.
CREATE OR REPLACE FUNCTION batch_keep_faith() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF old.state IN ('finished', 'refused') THEN
        RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('batch %s is over', old.id), CONSTRAINT = 'batch_over_is_final';
    END IF;
    IF new.done_count < old.done_count OR new.refused_count < old.refused_count OR new.replayed_count < old.replayed_count
        OR (old.book_id, old.partner_id, old.is_atomic, old.item_count, old.origin, old.key_scope, old.requested_by,
            old.approval_id)
        IS DISTINCT FROM
        (new.book_id, new.partner_id, new.is_atomic, new.item_count, new.origin, new.key_scope, new.requested_by,
            new.approval_id)
    THEN
        RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('batch %s only moves on', old.id), CONSTRAINT = 'batch_order_fixed';
    END IF;
    RETURN new;
END;
$$;

-- A batch that staff asks for is there only with a used approval of its file, and its items are the rows that were signed,
-- in their order: not one more, less or other, each payee at the details that the register holds. Checked at commit.
CREATE FUNCTION batch_require_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_file public.transactions_batchfile;
BEGIN
    SELECT f.* INTO v_file FROM public.transactions_batchfile AS f
    INNER JOIN public.accounts_approval AS a ON a.subject_ref = 'batchfile:' || f.id
    WHERE new.origin = 'file:' || f.id AND f.book_id = new.book_id AND f.row_count = new.item_count
        AND a.id = new.approval_id AND a.book_id = f.book_id AND a.action = 'transactions.start_batch' AND a.state = 'used'
        AND a.payload ->> 'requested_by' = new.requested_by
        AND (a.payload ->> 'carried_out' = 'all or none') = new.is_atomic
        AND a.payload ->> 'rows_sha256' = encode(sha256(convert_to(f.content, 'UTF8')), 'hex');
    IF v_file.id IS NULL OR EXISTS (
        SELECT 1 FROM (
            SELECT r.signed, r.number FROM jsonb_array_elements(v_file.content::jsonb) WITH ORDINALITY AS r (signed, number)
        ) AS wanted
        FULL JOIN (SELECT * FROM public.transactions_batchitem WHERE batch_id = new.id) AS i ON i.number = wanted.number
        LEFT JOIN public.transactions_registeredpayee AS p ON p.id = (wanted.signed ->> 'payee')::uuid
        WHERE (
            i.source_id, i.destination_id, i.payee_name_id, i.payee_iban_id, i.amount_minor, i.currency::text,
            i.reference::text, i.metadata, i.key_hash)
        IS DISTINCT FROM (
            (wanted.signed ->> 'source')::uuid, (wanted.signed ->> 'destination')::uuid, p.name_id, p.iban_id,
            (wanted.signed ->> 'amount_minor')::bigint, wanted.signed ->> 'currency', wanted.signed ->> 'reference',
            '{}'::jsonb, sha256(convert_to(wanted.signed ->> 'key', 'UTF8')))
    ) THEN
        PERFORM public.ledger_refuse('batch_signed', new.id);
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION batch_require_signature() OWNER TO cs_definer;
GRANT SELECT ON transactions_batchfile, transactions_batchitem, transactions_registeredpayee, transactions_transferbatch
TO cs_definer;
CREATE CONSTRAINT TRIGGER batch_signed AFTER INSERT ON transactions_transferbatch
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (new.requested_by NOT LIKE 'partner:%' OR new.approval_id IS NOT NULL)
EXECUTE FUNCTION batch_require_signature();

-- Items come with their batch, as many as it says: none joins later what was signed, or what is under way.
CREATE FUNCTION batch_items_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_batch uuid;
BEGIN
    SELECT b.id INTO v_batch FROM public.transactions_transferbatch AS b
    WHERE b.id IN (SELECT n.batch_id FROM new_rows AS n)
        AND (SELECT count(*) FROM public.transactions_batchitem AS i WHERE i.batch_id = b.id) > b.item_count
    LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('batch_items_counted', v_batch); END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION batch_items_counted() OWNER TO cs_definer;
CREATE TRIGGER items_counted AFTER INSERT ON transactions_batchitem REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION batch_items_counted();
