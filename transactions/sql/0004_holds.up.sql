-- Holds that were captured or voided before there were columns for it: said by what they and their versions tell.
-- A change of type rewrites the rows in place; nothing is changed that a witness would have to see.
ALTER TABLE transactions_hold
ALTER COLUMN captured_minor TYPE bigint USING CASE state WHEN 'posted' THEN amount_minor ELSE 0 END,
ALTER COLUMN released_minor TYPE bigint USING CASE state WHEN 'voided' THEN amount_minor ELSE 0 END,
ALTER COLUMN created_at TYPE timestamptz USING uuid_extract_timestamp(id);
ALTER TABLE transactions_historicalhold
ALTER COLUMN captured_minor TYPE bigint USING CASE state WHEN 'posted' THEN amount_minor ELSE 0 END,
ALTER COLUMN released_minor TYPE bigint USING CASE state WHEN 'voided' THEN amount_minor ELSE 0 END,
ALTER COLUMN created_at TYPE timestamptz USING uuid_extract_timestamp(id);

-- What a hold is never changes, what was captured or released stays so, and an ended hold does not move.
-- Nothing is captured after its time, and nothing expires before it.
CREATE FUNCTION hold_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_is_late boolean := clock_timestamp() >= old.expires_at;
    v_rule text;
BEGIN
    IF (old.transfer_id, old.book_id, old.account_id, old.destination_id, old.amount_minor, old.origin, old.requested_by,
        old.created_at, old.expires_at)
        IS DISTINCT FROM
        (new.transfer_id, new.book_id, new.account_id, new.destination_id, new.amount_minor, new.origin, new.requested_by,
        new.created_at, new.expires_at)
    THEN
        v_rule := 'hold_order_fixed';
    ELSIF old.state <> 'open' AND old IS DISTINCT FROM new
        OR new.captured_minor < old.captured_minor OR new.released_minor < old.released_minor
    THEN
        v_rule := 'hold_moves_forward';
    ELSIF new.captured_minor > old.captured_minor AND v_is_late OR new.state = 'expired' AND v_is_late IS NOT TRUE THEN
        v_rule := 'hold_in_time';
    END IF;
    IF v_rule IS NOT NULL THEN PERFORM public.ledger_refuse(v_rule, old.id); END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION hold_keep_faith() OWNER TO cs_definer;
CREATE TRIGGER keep_faith BEFORE UPDATE ON transactions_hold
FOR EACH ROW EXECUTE FUNCTION hold_keep_faith();
