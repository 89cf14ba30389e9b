-- Cuts cells into those of the next size, each with all it holds up to a place, and those of them that are too large
-- themselves into the next, down to the last. What they hold is read once for all sizes. Read anew for each, what was posted
-- in bulk took longer to roll up than a statement may, and so was never rolled up at all. Nothing is left too large: NULL.
CREATE OR REPLACE FUNCTION ledger_cut(p_cells transactions_movement[], p_to_xact bigint, p_to_id uuid, p_base uuid)
RETURNS transactions_movement[] LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE public.transactions_movement AS m SET is_cut = true
    FROM unnest(p_cells) AS c
    WHERE m.account_id = c.account_id AND m.clock = c.clock AND m.grain = c.grain AND m.begins_at = c.begins_at;
    WITH parts AS MATERIALIZED (
        SELECT c.account_id, c.clock, c.grain AS cut, g.grain,
            date_trunc(public.ledger_grain(g.grain), x.at, 'UTC') AS begins_at, sum(x.amount_minor) AS amount_minor,
            count(*) AS postings, min(x.id::text)::uuid AS first_id, max(x.id::text)::uuid AS last_id
        FROM unnest(p_cells) AS c
        CROSS JOIN LATERAL public.ledger_members(
            c, date_add(c.begins_at, ('1 ' || public.ledger_grain(c.grain))::interval, 'UTC')) AS x
        CROSS JOIN LATERAL generate_series(c.grain + 1, 4) AS g (grain)
        WHERE (x.xact, x.id) < (p_to_xact, p_to_id) OR x.id <= p_base
        GROUP BY c.account_id, c.clock, c.grain, g.grain, date_trunc(public.ledger_grain(g.grain), x.at, 'UTC')
    ),

    heavy AS MATERIALIZED (
        SELECT p.account_id, p.clock, p.grain, p.begins_at FROM parts AS p
        WHERE public.ledger_is_heavy(
            (p.account_id, p.clock, p.grain, p.begins_at, 0, p.postings, p.first_id, p.last_id, false)::public.transactions_movement)
    )

    INSERT INTO public.transactions_movement
        (account_id, clock, grain, begins_at, amount_minor, postings, first_id, last_id, is_cut)
    SELECT p.account_id, p.clock, p.grain, p.begins_at, p.amount_minor, p.postings, p.first_id, p.last_id, h.grain IS NOT NULL
    FROM parts AS p
    LEFT JOIN heavy AS h
        ON h.account_id = p.account_id AND h.clock = p.clock AND h.grain = p.grain AND h.begins_at = p.begins_at
    -- What holds a part holds no fewer postings: where the next larger is too large, so are all above it.
    WHERE p.grain = p.cut + 1 OR EXISTS (
        SELECT FROM heavy AS above
        WHERE above.account_id = p.account_id AND above.clock = p.clock AND above.grain = p.grain - 1
            AND above.begins_at = date_trunc(public.ledger_grain(p.grain - 1), p.begins_at, 'UTC')
    );
    RETURN NULL;
END;
$$;
