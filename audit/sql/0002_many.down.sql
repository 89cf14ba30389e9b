-- Back to one entry and one row at a time.
CREATE FUNCTION audit_keep_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_row jsonb;
BEGIN
    IF tg_op = 'UPDATE' AND old IS NOT DISTINCT FROM new THEN RETURN NULL; END IF;
    IF tg_op = 'DELETE' THEN v_row := to_jsonb(old); ELSE v_row := to_jsonb(new); END IF;
    EXECUTE format('INSERT INTO public.%1$I SELECT (jsonb_populate_record(NULL::public.%1$I, $1)).*', tg_argv[0])
    USING v_row || jsonb_build_object(
        'history_id', uuidv7(), 'history_date', clock_timestamp(),
        'history_type', CASE tg_op WHEN 'INSERT' THEN '+' WHEN 'UPDATE' THEN '~' ELSE '-' END,
        'history_change_reason', left(nullif(current_setting('app.reason', true), ''), 100),
        'history_actor', coalesce(current_setting('app.actor', true), ''),
        'history_trace_id', coalesce(current_setting('app.trace', true), ''));
    RETURN NULL;
END;
$$;
ALTER FUNCTION audit_keep_version() OWNER TO cs_definer;

CREATE OR REPLACE PROCEDURE audit_guard(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CALL public.audit_witness(p_table, p_columns);
    EXECUTE format(
        'CREATE TRIGGER versioned AFTER INSERT OR UPDATE%s OR DELETE ON public.%I'
        ' FOR EACH ROW EXECUTE FUNCTION public.audit_keep_version(%L)',
        CASE p_columns WHEN '' THEN '' ELSE ' OF ' || p_columns END, p_table, p_history);
    EXECUTE format('ALTER TABLE public.%I OWNER TO cs_definer', p_history);
    CALL public.audit_append_only(format('public.%I', p_history)::regclass);
END;
$$;

DO $$
DECLARE
    v_each record;
BEGIN
    FOR v_each IN
        SELECT c.relname, string_to_array(encode(t.tgargs, 'escape'), '\000') AS given
        FROM pg_trigger AS t INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = 'versioned_insert'
    LOOP
        EXECUTE format('DROP TRIGGER versioned_insert ON public.%1$I; DROP TRIGGER versioned_update ON public.%1$I;'
            ' DROP TRIGGER versioned_delete ON public.%1$I; DROP FUNCTION public.%2$I()',
            v_each.relname, v_each.relname || '_versions');
        EXECUTE format(
            'CREATE TRIGGER versioned AFTER INSERT OR UPDATE%s OR DELETE ON public.%I'
            ' FOR EACH ROW EXECUTE FUNCTION public.audit_keep_version(%L)',
            CASE v_each.given[2] WHEN '' THEN '' ELSE ' OF ' || v_each.given[2] END, v_each.relname, v_each.given[1]);
    END LOOP;
END;
$$;
DROP PROCEDURE audit_versions_again();
DROP PROCEDURE audit_version(text, text, text);
DROP PROCEDURE audit_keep_versions(text, text, text);
DROP FUNCTION audit_record(jsonb);

CREATE FUNCTION audit_record(p_entries jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_entry jsonb;
    v_id uuid;
BEGIN
    FOR v_entry IN SELECT e FROM jsonb_array_elements(p_entries) AS e LOOP
        INSERT INTO public.audit_entry
            (trace_id, command, action, outcome, code, actor_kind, actor_ref, actor_label, target_ref, book_id, body)
        VALUES (
            v_entry ->> 'trace_id', v_entry ->> 'command', v_entry ->> 'action', v_entry ->> 'outcome',
            v_entry ->> 'code', v_entry ->> 'actor_kind', v_entry ->> 'actor_ref', left(v_entry ->> 'actor_label', 200),
            v_entry ->> 'target_ref', (v_entry ->> 'book_id')::uuid, decode(v_entry ->> 'body', 'base64'))
        RETURNING id INTO v_id;
        INSERT INTO public.audit_touch (entry_id, table_name, row_id, before, after)
        SELECT v_id, t ->> 'table', t ->> 'row', nullif(t -> 'before', 'null'), nullif(t -> 'after', 'null')
        FROM jsonb_array_elements(v_entry -> 'touches') AS t;
    END LOOP;
END;
$$;
ALTER FUNCTION audit_record(jsonb) OWNER TO cs_definer;

-- A guarded row may change only in a transaction with an entry that touches that very row.
-- Looked up only among ids of this transaction's time, so one partition is probed.
CREATE OR REPLACE FUNCTION audit_require_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_row text;
BEGIN
    IF tg_op = 'DELETE' THEN v_row := old.id::text; ELSE v_row := new.id::text; END IF;
    PERFORM 1 FROM public.audit_touch
    WHERE row_id = v_row AND table_name = tg_table_name
        AND entry_id >= public.audit_uuid_floor(now() - interval '1 second')
        AND xact = pg_current_xact_id()::text::bigint;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'AU002',
            MESSAGE = format('%s of %I %s has no audit entry', tg_op, tg_table_name, v_row),
            CONSTRAINT = tg_name;
    END IF;
    RETURN NULL;
END;
$$;
