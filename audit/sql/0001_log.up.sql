-- The log: entries and the rows they touched, born partitioned by month on their UUIDv7 key.

CREATE FUNCTION audit_uuid_floor(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT (lpad(to_hex(floor(extract(EPOCH FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

CREATE TABLE audit_entry (
    id uuid NOT NULL DEFAULT uuidv7(),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    xact_at timestamptz NOT NULL DEFAULT now(),
    trace_id varchar(32) NOT NULL,
    command varchar(80) NOT NULL,
    action varchar(80) NOT NULL,
    outcome varchar(10) NOT NULL,
    code varchar(60) NOT NULL,
    actor_kind varchar(10) NOT NULL,
    actor_ref varchar(120) NOT NULL,
    actor_label varchar(200) NOT NULL,
    target_ref varchar(160) NOT NULL,
    book_id uuid,
    body bytea NOT NULL,
    CONSTRAINT audit_entry_pkey PRIMARY KEY (id),
    CONSTRAINT entry_outcome_known CHECK (outcome IN ('done', 'refused'))
) PARTITION BY RANGE (id);
CREATE INDEX entry_by_target ON audit_entry (target_ref, id);
CREATE INDEX entry_by_actor ON audit_entry (actor_ref, id);
CREATE INDEX entry_by_trace ON audit_entry (trace_id);
CREATE INDEX entry_by_xact ON audit_entry (xact, id);

CREATE TABLE audit_touch (
    entry_id uuid NOT NULL,
    table_name varchar(63) NOT NULL,
    row_id varchar(64) NOT NULL,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    before jsonb,
    after jsonb,
    CONSTRAINT audit_touch_pkey PRIMARY KEY (entry_id, table_name, row_id)
) PARTITION BY RANGE (entry_id);
CREATE INDEX touch_by_row ON audit_touch (row_id, entry_id);

-- Written once, by anyone, owner included. A parent's statement trigger does not fire for
-- statements on a partition, so audit_make_partitions puts it on each partition too.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'AU001',
        MESSAGE = format('%I is append-only', tg_table_name),
        CONSTRAINT = tg_name;
END;
$$;

CREATE PROCEDURE audit_append_only(p_table regclass) LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change()', p_table);
END;
$$;

-- Creates the partitions of the next months; safe to run again. The only DDL a process may cause.
CREATE FUNCTION audit_make_partitions(p_months_ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_parent regclass;
    v_month timestamptz;
    v_name text;
    v_made integer := 0;
BEGIN
    IF p_months_ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'between 0 and 24 months ahead, not %', p_months_ahead;
    END IF;
    FOR v_parent IN
        SELECT c.oid::regclass FROM pg_class AS c
        INNER JOIN pg_partitioned_table AS t ON t.partrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace
    LOOP
        FOR v_month IN
            SELECT m FROM generate_series(
                date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 month',
                date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => p_months_ahead),
                interval '1 month', 'UTC') AS m
        LOOP
            v_name := format('%s_y%s', v_parent, to_char(v_month AT TIME ZONE 'UTC', 'YYYYmMM'));
            CONTINUE WHEN to_regclass(format('public.%I', v_name)) IS NOT NULL;
            EXECUTE format('CREATE TABLE public.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', v_name, v_parent,
                public.audit_uuid_floor(v_month), public.audit_uuid_floor(v_month + interval '1 month'));
            CALL public.audit_append_only(format('public.%I', v_name)::regclass);
            EXECUTE format('GRANT SELECT ON public.%I TO cs_backup', v_name);
            v_made := v_made + 1;
        END LOOP;
    END LOOP;
    RETURN v_made;
END;
$$;

-- The only way into the log: the database sets id, clocks and transaction.
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

-- A guarded row may change only in a transaction with an entry that touches that very row.
-- Looked up only among ids of this transaction's time, so one partition is probed.
CREATE FUNCTION audit_require_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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

-- Every version of every guarded row, whoever wrote it and however.
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

-- Demands a witness for every change of a table's rows; with p_columns only for updates of those.
CREATE PROCEDURE audit_witness(p_table text, p_columns text DEFAULT '') LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format(
        'CREATE CONSTRAINT TRIGGER witnessed AFTER INSERT OR UPDATE%s OR DELETE ON public.%I'
        ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.audit_require_witness()',
        CASE p_columns WHEN '' THEN '' ELSE ' OF ' || p_columns END, p_table);
END;
$$;

-- Guards a table: a witness at commit, and versions in its history table, which is append-only itself.
CREATE PROCEDURE audit_guard(p_table text, p_history text, p_columns text DEFAULT '') LANGUAGE plpgsql
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

-- The parents too: a partition's statement trigger does not fire for statements on its parent.
CALL audit_append_only('audit_entry');
CALL audit_append_only('audit_touch');
ALTER TABLE audit_entry OWNER TO cs_definer;
ALTER TABLE audit_touch OWNER TO cs_definer;
ALTER FUNCTION audit_make_partitions(integer) OWNER TO cs_definer;
ALTER FUNCTION audit_record(jsonb) OWNER TO cs_definer;
ALTER FUNCTION audit_require_witness() OWNER TO cs_definer;
ALTER FUNCTION audit_keep_version() OWNER TO cs_definer;
ALTER FUNCTION audit_uuid_floor(timestamptz) OWNER TO cs_definer;
ALTER FUNCTION audit_refuse_change() OWNER TO cs_definer;
ALTER PROCEDURE audit_append_only(regclass) OWNER TO cs_definer;
SELECT audit_make_partitions();
