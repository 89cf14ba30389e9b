-- Writes the function that keeps a table's versions, as its columns are now: to be called again after they change.
-- Whoever writes and however, every version of every row is kept; with p_columns updates of others are not versions.
CREATE OR REPLACE PROCEDURE audit_keep_versions(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
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

CALL audit_versions_again();
DO $$
DECLARE
    v_each record;
BEGIN
    FOR v_each IN
        SELECT c.relname, string_to_array(encode(t.tgargs, 'escape'), '\000') AS given
        FROM pg_trigger AS t INNER JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgname = 'versioned_insert'
    LOOP
        CALL public.audit_witness(v_each.relname::text, v_each.given[2]);
    END LOOP;
END;
$$;
DROP TABLE audit_debt;
DROP FUNCTION audit_settle_debt();
