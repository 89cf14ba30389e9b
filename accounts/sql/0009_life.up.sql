-- What a freeze says never changes. It is confirmed and lifted only under a second person's word, used for just that;
-- it starts and ends by itself only when its time has come.
CREATE FUNCTION freeze_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_old text := CASE tg_op WHEN 'INSERT' THEN new.state ELSE old.state END;
    v_rule text;
BEGIN
    IF tg_op = 'INSERT' THEN
        IF new.state NOT IN ('scheduled', 'in_force') OR new.confirmed_at IS NOT NULL THEN
            v_rule := 'freeze_begins_unconfirmed';
        END IF;
    ELSIF (old.account_id, old.book_id, old.mode, old.amount_minor, old.reason_code, old.reason, old.legal_reference,
        old.placed_by, old.placed_at, old.starts_at, old.ends_at, old.confirm_by)
        IS DISTINCT FROM
        (new.account_id, new.book_id, new.mode, new.amount_minor, new.reason_code, new.reason, new.legal_reference,
        new.placed_by, new.placed_at, new.starts_at, new.ends_at, new.confirm_by)
    THEN
        v_rule := 'freeze_order_fixed';
    ELSIF old.confirmed_at IS DISTINCT FROM new.confirmed_at
        AND (old.confirmed_at IS NOT NULL OR NOT public.approval_used_for('transactions.confirm_freeze', 'freeze:' || new.id))
    THEN
        v_rule := 'freeze_confirmed_by_two';
    END IF;
    IF new.state <> v_old THEN
        v_rule := coalesce(v_rule, CASE
            WHEN v_old IN ('lifted', 'ended') OR new.state = 'scheduled' THEN 'freeze_moves_forward'
            WHEN new.state = 'lifted' AND NOT public.approval_used_for('transactions.lift_freeze', 'freeze:' || new.id)
                THEN 'freeze_lifted_by_two'
            WHEN new.state = 'ended' AND new.ends_at <= clock_timestamp() IS NOT TRUE THEN 'freeze_ends_in_time'
            WHEN new.state = 'in_force' AND new.starts_at <= clock_timestamp() IS NOT TRUE THEN 'freeze_starts_in_time'
        END);
    END IF;
    IF v_rule IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'AC001', MESSAGE = format('%s: %s', v_rule, new.id), CONSTRAINT = v_rule;
    END IF;
    RETURN new;
END;
$$;

-- Whether a second person's word on p_action has been used for p_subject.
CREATE FUNCTION approval_used_for(p_action text, p_subject text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.accounts_approval WHERE subject_ref = p_subject AND action = p_action AND state = 'used'
    );
$$;

-- An account begins open at floor zero. It is closed, reopened, or given another floor only under an approval of just
-- that, which has been used, and which is newer than the last: none serves twice.
CREATE FUNCTION account_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_was_closed boolean := CASE tg_op WHEN 'INSERT' THEN false ELSE old.closed_at IS NOT NULL END;
    v_floor bigint := CASE tg_op WHEN 'INSERT' THEN 0 ELSE old.floor_minor END;
    v_last uuid := CASE tg_op WHEN 'INSERT' THEN NULL ELSE old.changed_under_id END;
    v_is_turned boolean := v_was_closed <> (new.closed_at IS NOT NULL);
    v_action text := CASE
        WHEN v_is_turned AND new.floor_minor <> v_floor THEN NULL
        WHEN v_is_turned AND v_was_closed THEN 'transactions.reopen_account'
        WHEN v_is_turned THEN 'transactions.close_account'
        WHEN tg_op = 'UPDATE' AND old.closed_at IS NOT DISTINCT FROM new.closed_at THEN 'transactions.set_floor'
    END;
BEGIN
    IF NOT v_is_turned AND new.floor_minor = v_floor AND v_last IS NOT DISTINCT FROM new.changed_under_id
        AND (tg_op = 'INSERT' OR old.closed_at IS NOT DISTINCT FROM new.closed_at)
    THEN
        RETURN new;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM public.accounts_approval AS a
        WHERE a.id = new.changed_under_id AND (v_last IS NULL OR a.id > v_last) AND a.state = 'used'
            AND a.action = v_action AND a.subject_ref = 'account:' || new.id
            AND (v_action <> 'transactions.set_floor' OR (a.payload ->> 'floor_minor')::bigint = new.floor_minor)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'AC001', MESSAGE = format('account_changed_by_two: %s', new.id),
            CONSTRAINT = 'account_changed_by_two';
    END IF;
    RETURN new;
END;
$$;

ALTER FUNCTION freeze_keep_faith() OWNER TO cs_definer;
ALTER FUNCTION approval_used_for(text, text) OWNER TO cs_definer;
ALTER FUNCTION account_keep_faith() OWNER TO cs_definer;
GRANT SELECT ON accounts_approval TO cs_definer;
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON accounts_freeze
FOR EACH ROW EXECUTE FUNCTION freeze_keep_faith();
CREATE TRIGGER keep_faith BEFORE INSERT OR UPDATE ON accounts_account
FOR EACH ROW EXECUTE FUNCTION account_keep_faith();
