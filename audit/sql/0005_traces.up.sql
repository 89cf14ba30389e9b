-- What many acts of one transaction did to rows bears the trace of each.

-- Writes the function that keeps a table's versions and says what is owed, as its columns are now: to be called again
-- after they change. Whoever writes and however, every version of every row is kept; with p_columns updates of others
-- are not versions, and owe nothing. A row whose key was changed was not there before. A version bears the act's trace, or
-- its row's own where one act is many (app.traces: {row: trace}).
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
    v_insert := format('WITH kept AS (INSERT INTO public.%I (%s, history_id, history_date, history_type,'
        ' history_change_reason, history_actor, history_trace_id) SELECT %s, uuidv7(), clock_timestamp(), ''%%s'','
        ' left(nullif(current_setting(''app.reason'', true), ''''), 100), coalesce(current_setting(''app.actor'', true), ''''),'
        ' coalesce((SELECT nullif(current_setting(''app.traces'', true), '''')::jsonb) ->> n.id::text,'
        ' current_setting(''app.trace'', true), '''') FROM %%s RETURNING id)'
        ' INSERT INTO public.audit_debt AS d (process, table_name, row_ids)'
        ' SELECT pg_backend_pid(), %L, array_agg(id::text) FROM kept HAVING count(*) > 0'
        ' ON CONFLICT (process) DO UPDATE SET table_name = excluded.table_name, row_ids = excluded.row_ids;',
        p_history, v_columns, (SELECT string_agg('n.' || trim(c), ', ') FROM unnest(string_to_array(v_columns, ',')) AS c),
        p_table);
    IF p_columns <> '' THEN
        SELECT format('(o.id IS NULL OR (%s) IS DISTINCT FROM (%s))', string_agg('o.' || trim(c), ', '), string_agg('n.' || trim(c), ', '))
        INTO v_differs FROM unnest(string_to_array(p_columns, ',')) AS c;
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION public.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER'
        ' SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $f$ BEGIN'
        ' IF tg_op = ''INSERT'' THEN %s ELSIF tg_op = ''UPDATE'' THEN %s ELSE %s END IF; RETURN NULL; END; $f$',
        p_table || '_versions', format(v_insert, '+', 'new_rows AS n'),
        format(v_insert, '~', 'new_rows AS n LEFT JOIN old_rows AS o ON o.id = n.id WHERE ' || v_differs),
        format(v_insert, '-', 'old_rows AS n'));
    EXECUTE format('ALTER FUNCTION public.%I() OWNER TO cs_definer', p_table || '_versions');
END;
$$;

CALL audit_versions_again();
