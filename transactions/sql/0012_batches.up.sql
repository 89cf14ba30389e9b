-- Batches: their items are stored and closed many at a time, and what is over never moves again.

-- What was asked never changes, counts never go back, and a batch that is over stays as it is.
CREATE FUNCTION batch_keep_faith() RETURNS trigger LANGUAGE plpgsql
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
CREATE TRIGGER keep_faith BEFORE UPDATE ON transactions_transferbatch
FOR EACH ROW EXECUTE FUNCTION batch_keep_faith();

-- An item gets its outcome once. What it asks for no login may change: the grants see to that.
CREATE FUNCTION batch_item_keep_faith() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('item %s of batch %s has its outcome', old.number, old.batch_id),
        CONSTRAINT = 'batch_item_outcome_final';
END;
$$;
CREATE TRIGGER keep_faith BEFORE UPDATE ON transactions_batchitem
FOR EACH ROW WHEN (old.outcome <> '') EXECUTE FUNCTION batch_item_keep_faith();

-- Stores the items of a new batch. Runs with the rights of whoever calls it.
CREATE FUNCTION batch_items_store(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.transactions_batchitem
    SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_batchitem, p_rows);
END;
$$;

-- Gives items of a batch their outcomes: [{number, outcome, code, facts, transfer}].
CREATE FUNCTION batch_items_close(p_batch uuid, p_outcomes jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    UPDATE public.transactions_batchitem AS i
    SET outcome = o.outcome, code = o.code, facts = o.facts, transfer_id = o.transfer
    FROM jsonb_to_recordset(p_outcomes) AS o (number integer, outcome text, code text, facts jsonb, transfer uuid)
    WHERE i.batch_id = p_batch AND i.number = o.number;
END;
$$;

CALL audit_guard('transactions_transferbatch', 'transactions_historicaltransferbatch');
