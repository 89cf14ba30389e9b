-- Closed months: how every account stood at a month's end by the recorded clock, kept for ever.

-- Closes a month that is settled: nothing will be recorded before its end any more, so what is kept
-- is what will always be found. Refuses one that is not over, and one that is closed or before one.
CREATE FUNCTION ledger_close_month(p_month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_end timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
    v_from record := public.ledger_horizon();
    v_none constant uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF p_month <> date_trunc('month', p_month) OR NOT v_from.is_ours
        OR NOT EXISTS (SELECT FROM public.transactions_rollup WHERE settled_at >= v_end)
    THEN
        PERFORM public.ledger_refuse('month_settled', v_none);
    END IF;
    IF EXISTS (SELECT FROM public.transactions_closedmonth WHERE month >= p_month) THEN
        PERFORM public.ledger_refuse('month_after_closed', v_none);
    END IF;
    INSERT INTO public.transactions_closedbalance (month, account_id, book_id, currency, balance_minor, postings)
    SELECT p_month, a.id, a.book_id, a.currency, sum(s.amount), sum(s.lines)
    FROM (
        SELECT account_id, amount_minor AS amount, postings AS lines
        FROM public.transactions_movement WHERE clock = 'recorded' AND grain = 0 AND begins_at < v_end
        UNION ALL
        SELECT p.account_id, p.amount_minor, 1
        FROM public.transactions_posting AS p
        WHERE (p.xact, p.id) >= (v_from.xact, v_from.id) AND p.id > v_from.base_id AND (
            SELECT j.recorded_at FROM public.transactions_journal AS j WHERE j.id = p.journal_id) < v_end
    ) AS s
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = s.account_id
    GROUP BY a.id, a.book_id, a.currency;
    INSERT INTO public.transactions_closedmonth (month, closed_at, accounts, digest)
    SELECT p_month, clock_timestamp(), count(*), encode(sha256(convert_to(coalesce(string_agg(
        format('%s %s %s', account_id, balance_minor, postings), E'\n' ORDER BY account_id), ''), 'UTF8')), 'hex')
    FROM public.transactions_closedbalance WHERE month = p_month;
END;
$$;

ALTER TABLE transactions_closedmonth OWNER TO cs_definer;
ALTER TABLE transactions_closedbalance OWNER TO cs_definer;
ALTER FUNCTION ledger_close_month(date) OWNER TO cs_definer;
CALL audit_append_only('transactions_closedmonth');
CALL audit_append_only('transactions_closedbalance');
