CREATE OR REPLACE FUNCTION ledger_members(p_cell transactions_movement, p_before timestamptz)
RETURNS TABLE (id uuid, xact bigint, amount_minor bigint, at timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
    SELECT p.id, p.xact, p.amount_minor, p.occurred_at
    FROM public.transactions_posting AS p
    WHERE p_cell.clock = 'occurred' AND p.account_id = p_cell.account_id
        AND p.occurred_at >= p_cell.begins_at AND p.occurred_at < p_before
    UNION ALL
    SELECT m.id, m.xact, m.amount_minor, m.at FROM (
        SELECT p.id, p.xact, p.amount_minor,
            (SELECT j.recorded_at FROM public.transactions_journal AS j WHERE j.id = p.journal_id) AS at
        FROM public.transactions_posting AS p
        WHERE p_cell.clock = 'recorded' AND p.account_id = p_cell.account_id
            AND p.id BETWEEN p_cell.first_id AND p_cell.last_id
    ) AS m
    WHERE m.at >= p_cell.begins_at AND m.at < p_before
$$;
CREATE OR REPLACE FUNCTION ledger_stand_before(p_accounts uuid[], p_clock text, p_before timestamptz)
RETURNS TABLE (account_id uuid, balance_minor bigint, postings bigint) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_end record := public.ledger_horizon();
    v_month timestamptz := date_trunc(public.ledger_grain(0), p_before, 'UTC');
BEGIN
    RETURN QUERY
    WITH months AS (
        SELECT m.account_id, sum(m.amount_minor) FILTER (WHERE m.begins_at < v_month) AS amount,
            sum(m.postings) FILTER (WHERE m.begins_at < v_month) AS lines,
            bool_or(m.begins_at = v_month AND p_before > v_month) AS has_part
        FROM public.transactions_movement AS m
        WHERE v_end.is_ours AND m.account_id = ANY(p_accounts) AND m.clock = p_clock AND m.grain = 0
            AND m.begins_at <= v_month
        GROUP BY m.account_id
    ),

    tail AS (
        SELECT t.account_id, sum(t.amount_minor) AS amount, count(*) AS lines
        FROM (
            SELECT p.account_id, p.amount_minor, CASE p_clock WHEN 'occurred' THEN p.occurred_at ELSE (
                SELECT j.recorded_at FROM public.transactions_journal AS j WHERE j.id = p.journal_id) END AS at
            FROM public.transactions_posting AS p
            WHERE (p.xact, p.id) >= (v_end.xact, v_end.id) AND p.id > v_end.base_id
                AND p.account_id = ANY(p_accounts)
        ) AS t
        WHERE t.at < p_before
        GROUP BY t.account_id
    )

    SELECT a.id,
        (coalesce(m.amount, 0) + coalesce(w.amount, 0) + coalesce(t.amount, 0))::bigint,
        (coalesce(m.lines, 0) + coalesce(w.lines, 0) + coalesce(t.lines, 0))::bigint
    FROM unnest(p_accounts) AS a (id)
    LEFT JOIN months AS m ON m.account_id = a.id
    LEFT JOIN LATERAL public.ledger_within_month(a.id, p_clock, p_before) AS w ON m.has_part
    LEFT JOIN tail AS t ON t.account_id = a.id;
END;
$$;
CREATE OR REPLACE FUNCTION ledger_window(p_state transactions_rollup, p_to_xact bigint, p_to_id uuid)
RETURNS TABLE (account_id uuid, clock text, id uuid, amount_minor bigint, at timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.account_id, c.clock, p.id, p.amount_minor, c.at
    FROM public.transactions_posting AS p
    CROSS JOIN LATERAL (VALUES ('occurred', p.occurred_at), ('recorded', (
        SELECT j.recorded_at FROM public.transactions_journal AS j WHERE j.id = p.journal_id))) AS c (clock, at)
    WHERE (p.xact, p.id) >= (p_state.horizon_xact, p_state.horizon_id) AND (p.xact, p.id) < (p_to_xact, p_to_id)
        AND p.id > p_state.base_id
$$;
CREATE OR REPLACE FUNCTION ledger_close_month(p_month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
DROP FUNCTION ledger_stood_still();
