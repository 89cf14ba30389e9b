-- One and many alike: entries are read off their bodies, and versions are written a statement at a time.

-- The only way into the log: [{body, book}]. The body is the entry's own text: its columns and touches are read off it,
-- so they cannot say anything else. The database sets id, clocks and transaction.
DROP FUNCTION audit_record(jsonb);
CREATE FUNCTION audit_record(p_told jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH told AS MATERIALIZED (
        SELECT uuidv7() AS id, t.body, t.book, t.body::jsonb AS said
        FROM jsonb_to_recordset(p_told) AS t (body text, book uuid)
    ), entries AS (
        INSERT INTO public.audit_entry
            (id, trace_id, command, action, outcome, code, actor_kind, actor_ref, actor_label, target_ref, book_id, body)
        SELECT id, said ->> 'trace', said ->> 'command', said ->> 'action', said ->> 'outcome',
            CASE said ->> 'outcome' WHEN 'refused' THEN said -> 'facts' ->> 'code' ELSE '' END,
            split_part(said -> 'actor' ->> 'ref', ':', 1), said -> 'actor' ->> 'ref', left(said -> 'actor' ->> 'label', 200),
            said ->> 'target', book, convert_to(E'countersign.audit.entry.v1\n' || body, 'UTF8')
        FROM told
    )
    INSERT INTO public.audit_touch (entry_id, table_name, row_id, before, after)
    SELECT told.id, t ->> 'table', t ->> 'row', nullif(t -> 'before', 'null'), nullif(t -> 'after', 'null')
    FROM told CROSS JOIN LATERAL jsonb_array_elements(told.said -> 'touches') AS t;
END;
$$;
ALTER FUNCTION audit_record(jsonb) OWNER TO cs_definer;

-- A guarded row may change only in a transaction with an entry that touches that very row.
-- Looked up only among ids of this transaction's time, so one partition is probed.
CREATE OR REPLACE FUNCTION audit_require_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
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

-- Writes the function that keeps a table's versions, as its columns are now: to be called again after they change.
-- Whoever writes and however, every version of every row is kept; with p_columns updates of others are not versions.
CREATE PROCEDURE audit_keep_versions(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_columns text;
    v_insert text;
    v_differs text := 'o.* IS DISTINCT FROM n.*';
BEGIN
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO v_columns
    FROM pg_attribute AS a
    INNER JOIN pg_attribute AS h
        ON h.attname = a.attname AND h.attrelid = format('public.%I', p_history)::regclass AND NOT h.attisdropped
    WHERE a.attrelid = format('public.%I', p_table)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
    v_insert := format('INSERT INTO public.%I (%s, history_id, history_date, history_type, history_change_reason,'
        ' history_actor, history_trace_id) SELECT %s, uuidv7(), clock_timestamp(), ''%%s'','
        ' left(nullif(current_setting(''app.reason'', true), ''''), 100), coalesce(current_setting(''app.actor'', true), ''''),'
        ' coalesce(current_setting(''app.trace'', true), '''') FROM ', p_history, v_columns,
        (SELECT string_agg('n.' || trim(c), ', ') FROM unnest(string_to_array(v_columns, ',')) AS c));
    IF p_columns <> '' THEN
        SELECT format('(%s) IS DISTINCT FROM (%s)', string_agg('o.' || trim(c), ', '), string_agg('n.' || trim(c), ', '))
        INTO v_differs FROM unnest(string_to_array(p_columns, ',')) AS c;
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION public.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER'
        ' SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $f$ BEGIN'
        ' IF tg_op = ''INSERT'' THEN %s new_rows AS n;'
        ' ELSIF tg_op = ''UPDATE'' THEN %s new_rows AS n INNER JOIN old_rows AS o ON o.id = n.id WHERE %s;'
        ' ELSE %s old_rows AS n; END IF; RETURN NULL; END; $f$', p_table || '_versions',
        format(v_insert, '+'), format(v_insert, '~'), v_differs, format(v_insert, '-'));
    EXECUTE format('ALTER FUNCTION public.%I() OWNER TO cs_definer', p_table || '_versions');
END;
$$;

-- Puts the three triggers of a versioned table in their place.
CREATE PROCEDURE audit_version(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_each record;
BEGIN
    CALL public.audit_keep_versions(p_table, p_history, p_columns);
    EXECUTE format('DROP TRIGGER IF EXISTS versioned ON public.%I', p_table);
    FOR v_each IN SELECT * FROM (VALUES
        ('INSERT', 'NEW TABLE AS new_rows'), ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
        ('DELETE', 'OLD TABLE AS old_rows')) AS e (event, tables)
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER versioned_%s AFTER %s ON public.%I REFERENCING %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION public.%I(%L, %L)',
            lower(v_each.event), v_each.event, p_table, v_each.tables, p_table || '_versions', p_history, p_columns);
    END LOOP;
END;
$$;

-- For migrations that changed the columns of a versioned table: writes all the functions anew.
CREATE PROCEDURE audit_versions_again() LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_each record;
BEGIN
    FOR v_each IN
        SELECT c.relname, string_to_array(encode(t.tgargs, 'escape'), '\000') AS given
        FROM pg_trigger AS t INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = 'versioned_insert'
    LOOP
        CALL public.audit_keep_versions(v_each.relname::text, v_each.given[1], v_each.given[2]);
    END LOOP;
END;
$$;

-- Guards a table: a witness at commit, and versions in its history table, which is append-only itself.
CREATE OR REPLACE PROCEDURE audit_guard(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CALL public.audit_witness(p_table, p_columns);
    EXECUTE format('ALTER TABLE public.%I OWNER TO cs_definer', p_history);
    CALL public.audit_version(p_table, p_history, p_columns);
    CALL public.audit_append_only(format('public.%I', p_history)::regclass);
END;
$$;

-- Tables that were guarded before this file.
DO $$
DECLARE
    v_each record;
BEGIN
    FOR v_each IN
        SELECT c.relname, string_to_array(encode(t.tgargs, 'escape'), '\000') AS given,
            (SELECT string_agg(a.attname, ', ') FROM unnest(t.tgattr) AS k (n)
             INNER JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = k.n) AS columns
        FROM pg_trigger AS t INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = 'versioned'
    LOOP
        CALL public.audit_version(v_each.relname::text, v_each.given[1], coalesce(v_each.columns, ''));
    END LOOP;
END;
$$;
DROP FUNCTION audit_keep_version();
