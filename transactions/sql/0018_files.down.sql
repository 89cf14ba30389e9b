DROP TRIGGER items_counted ON transactions_batchitem;
DROP FUNCTION batch_items_counted();
DROP TRIGGER batch_signed ON transactions_transferbatch;
DROP FUNCTION batch_require_signature();

CREATE OR REPLACE FUNCTION batch_keep_faith() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF old.state IN ('finished', 'refused') THEN
        RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('batch %s is over', old.id), CONSTRAINT = 'batch_over_is_final';
    END IF;
    IF new.done_count < old.done_count OR new.refused_count < old.refused_count OR new.replayed_count < old.replayed_count
        OR (old.book_id, old.partner_id, old.is_atomic, old.item_count, old.origin, old.key_scope, old.requested_by)
        IS DISTINCT FROM
        (new.book_id, new.partner_id, new.is_atomic, new.item_count, new.origin, new.key_scope, new.requested_by)
    THEN
        RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('batch %s only moves on', old.id), CONSTRAINT = 'batch_order_fixed';
    END IF;
    RETURN new;
END;
$$;
DROP TRIGGER witnessed ON transactions_batchfile;
DROP TRIGGER keep_faith ON transactions_batchfile;
REVOKE SELECT ON transactions_batchfile, transactions_batchitem, transactions_registeredpayee, transactions_transferbatch
FROM cs_definer;
