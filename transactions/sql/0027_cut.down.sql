-- Cuts cells into those of the next size, each with all it holds up to a place. Returns the parts
-- that are too large themselves.
CREATE OR REPLACE FUNCTION ledger_cut(p_cells transactions_movement[], p_to_xact bigint, p_to_id uuid, p_base uuid)
RETURNS transactions_movement[] LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_heavy public.transactions_movement[];
BEGIN
    UPDATE public.transactions_movement AS m SET is_cut = true
    FROM unnest(p_cells) AS c
    WHERE m.account_id = c.account_id AND m.clock = c.clock AND m.grain = c.grain AND m.begins_at = c.begins_at;
    WITH parts AS (
        INSERT INTO public.transactions_movement AS m
            (account_id, clock, grain, begins_at, amount_minor, postings, first_id, last_id, is_cut)
        SELECT c.account_id, c.clock, c.grain + 1, date_trunc(public.ledger_grain(c.grain + 1), x.at, 'UTC'),
            sum(x.amount_minor), count(*), min(x.id::text)::uuid, max(x.id::text)::uuid, false
        FROM unnest(p_cells) AS c
        CROSS JOIN LATERAL public.ledger_members(
            c, date_add(c.begins_at, ('1 ' || public.ledger_grain(c.grain))::interval, 'UTC')) AS x
        WHERE (x.xact, x.id) < (p_to_xact, p_to_id) OR x.id <= p_base
        GROUP BY c.account_id, c.clock, c.grain, date_trunc(public.ledger_grain(c.grain + 1), x.at, 'UTC')
        RETURNING m AS cell
    )

    SELECT array_agg(cell) INTO v_heavy FROM parts WHERE public.ledger_is_heavy(cell);
    RETURN v_heavy;
END;
$$;
