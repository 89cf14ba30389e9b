-- Takes a month back in, if its rows are those that left: its tables are parts of the books again, and of the cells. Its
-- row must say so already. Nobody waits: attaching locks out nothing but other such acts.
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
    PERFORM public.ledger_require_snapshot_true(p_month);
    PERFORM public.ledger_roll_month(p_month, 1);
END;
$$;
DROP FUNCTION ledger_rows_digest(date);
DROP FUNCTION ledger_rows_of(date);
DROP FUNCTION ledger_place_of(text, date);
