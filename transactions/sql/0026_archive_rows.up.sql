-- What is away is compared row by row with what left, not only by sums: see docs/adr/0017-months-are-put-away.md.

-- The table of a month, where it lies now; nothing where it is nowhere.
CREATE FUNCTION ledger_place_of(p_parent text, p_month date) RETURNS regclass LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(to_regclass('archive.' || public.ledger_partition(p_parent, p_month)),
        to_regclass('public.' || public.ledger_partition(p_parent, p_month)))
$$;

-- Every row that leaves with a month, and every origin that points there, as a digest of its own. Columns are named one by
-- one, so that one that is added later changes no figure of old; their binary form is the same in whatever session asks.
CREATE FUNCTION ledger_rows_of(p_month date) RETURNS TABLE (kind text, id uuid, digest bytea) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_journals regclass := public.ledger_place_of('transactions_journal', p_month);
    v_postings regclass := public.ledger_place_of('transactions_posting', p_month);
BEGIN
    IF v_journals IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT ''journal'', j.id, sha256(record_send(ROW(j.id, j.book_id, j.purpose,'
            ' j.subject_ref, j.origin, j.reverses, j.trace_id, j.occurred_at, j.recorded_at, j.xact))) FROM %s AS j',
            v_journals);
    END IF;
    IF v_postings IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT ''posting'', p.id, sha256(record_send(ROW(p.id, p.journal_id, p.book_id,'
            ' p.account_id, p.amount_minor, p.currency, p.balance_after_minor, p.account_version, p.occurred_at, p.xact)))'
            ' FROM %s AS p', v_postings);
    END IF;
    RETURN QUERY SELECT 'origin', o.journal_id, sha256(record_send(ROW(o.journal_id, o.origin, o.reverses)))
        FROM public.transactions_journalorigin AS o
        WHERE o.journal_id >= public.ledger_month_floor(p_month)
            AND o.journal_id < public.ledger_month_floor((p_month + interval '1 month')::date);
END;
$$;

-- One figure over all of them: rows by hours, hours by kinds, so that nothing in between grows with the month.
CREATE FUNCTION ledger_rows_digest(p_month date) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT encode(sha256(coalesce(string_agg(h.digest, ''::bytea ORDER BY h.kind, h.hour), ''::bytea)), 'hex')
    FROM (
        SELECT r.kind, date_bin('1 hour', uuid_extract_timestamp(r.id), '2000-01-01Z') AS hour,
            sha256(string_agg(r.digest, ''::bytea ORDER BY r.id, r.digest)) AS digest
        FROM public.ledger_rows_of(p_month) AS r
        GROUP BY 1, 2
    ) AS h
$$;

-- As before, and: not where one row is another than when it left. A month that left before rows were kept so says nothing
-- of them.
CREATE OR REPLACE FUNCTION ledger_attach(p_month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_parent text;
    v_part text;
BEGIN
    PERFORM FROM public.transactions_rollup FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM public.ledger_archived() AS a WHERE a.month >= p_month) THEN
        PERFORM public.ledger_refuse('month_next_in_order', '00000000-0000-0000-0000-000000000000');
    END IF;
    FOREACH v_parent IN ARRAY ARRAY['transactions_journal', 'transactions_posting'] LOOP
        v_part := public.ledger_partition(v_parent, p_month);
        EXECUTE format('REVOKE ALL ON archive.%I FROM cs_auditor', v_part);
        EXECUTE format('ALTER TABLE archive.%I SET SCHEMA public', v_part);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', v_parent, v_part,
            public.ledger_month_floor(p_month), public.ledger_month_floor((p_month + interval '1 month')::date));
    END LOOP;
    IF EXISTS (
        SELECT FROM public.transactions_archivedmonth AS m
        WHERE m.month = p_month AND m.rows_digest <> '' AND m.rows_digest <> public.ledger_rows_digest(p_month)
    ) THEN
        PERFORM public.ledger_refuse('month_snapshot_true', '00000000-0000-0000-0000-000000000000');
    END IF;
    PERFORM public.ledger_require_snapshot_true(p_month);
    PERFORM public.ledger_roll_month(p_month, 1);
END;
$$;

ALTER FUNCTION ledger_place_of(text, date) OWNER TO cs_definer;
ALTER FUNCTION ledger_rows_of(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_rows_digest(date) OWNER TO cs_definer;
