-- What moved on each account, by both clocks, rolled up so that a balance at any instant is read
-- from a few rows: see docs/adr/0008-movements-and-a-tail.md.
--
-- A posting is in the roll-up if it stands before the horizon (xact, id), and in the tail if not.
-- The horizon never passes a transaction that still runs, so a late commit is in the tail until it
-- is rolled up; nothing is ever skipped, whatever the clocks say.

-- Old rows stand at 0, before every transaction; new ones say which transaction wrote them.
ALTER TABLE transactions_posting ADD COLUMN xact bigint NOT NULL DEFAULT 0;
ALTER TABLE transactions_posting ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX posting_by_xact ON transactions_posting (xact, id, account_id);
CREATE INDEX posting_by_occurred ON transactions_posting (account_id, occurred_at, id) INCLUDE (amount_minor, xact);

INSERT INTO transactions_rollup (id, horizon_xact, horizon_id, base_id, cluster, mark_xact, mark_at, settled_at)
VALUES (
    1, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000',
    (SELECT system_identifier FROM pg_control_system()), 0, '1970-01-01Z', '1970-01-01Z');

-- The sizes of the cells, the largest first: each is cut into those of the next.
CREATE FUNCTION ledger_grain(p_grain integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (ARRAY['month', 'day', 'hour', 'minute', 'second'])[p_grain + 1] $$;

-- Says whether a cell is to be cut: it holds more postings than are
-- added up one by one, and there is a smaller size.
CREATE FUNCTION ledger_is_heavy(p_cell transactions_movement) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT NOT p_cell.is_cut AND p_cell.grain < 4 AND p_cell.postings > 200 $$;

-- Where the roll-up ends. Where its numbers are another cluster's (a dump was restored), its
-- transactions mean nothing here: nothing is rolled up then, and everything is tail.
CREATE FUNCTION ledger_horizon(OUT is_ours boolean, OUT xact bigint, OUT id uuid, OUT base_id uuid)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.id IS NOT NULL, coalesce(r.horizon_xact, 0), coalesce(r.horizon_id, zero), coalesce(r.base_id, zero)
    FROM pg_control_system() AS c
    CROSS JOIN (VALUES ('00000000-0000-0000-0000-000000000000'::uuid)) AS none (zero)
    LEFT JOIN public.transactions_rollup AS r ON r.cluster = c.system_identifier
$$;

-- The postings of one cell, one by one, with when they happened on its clock: by the index of that
-- clock, or within the ids that the cell has seen (those of late arrivals are far apart). Planned once: to plan
-- over all partitions each time would cost more than to read two hundred rows.
CREATE FUNCTION ledger_members(p_cell transactions_movement, p_before timestamptz)
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

-- What of an account is rolled up in the month of an instant and before that instant: whole cells,
-- the largest first, and then one by one what is in the cell that the instant cuts through.
CREATE FUNCTION ledger_within_month(
    p_account uuid, p_clock text, p_before timestamptz, OUT amount numeric, OUT lines numeric
) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_end record := public.ledger_horizon();
    v_cell public.transactions_movement;
    v_begins timestamptz;
    v_part record;
BEGIN
    amount := 0;
    lines := 0;
    FOR v_grain IN 0..4 LOOP
        v_begins := date_trunc(public.ledger_grain(v_grain), p_before, 'UTC');
        IF v_grain > 0 THEN
            SELECT coalesce(sum(m.amount_minor), 0) AS amount, coalesce(sum(m.postings), 0) AS lines INTO v_part
            FROM public.transactions_movement AS m
            WHERE m.account_id = p_account AND m.clock = p_clock AND m.grain = v_grain
                AND m.begins_at >= v_cell.begins_at AND m.begins_at < v_begins;
            amount := amount + v_part.amount;
            lines := lines + v_part.lines;
        END IF;
        SELECT * INTO v_cell FROM public.transactions_movement AS m
        WHERE m.account_id = p_account AND m.clock = p_clock AND m.grain = v_grain AND m.begins_at = v_begins;
        EXIT WHEN NOT FOUND OR NOT v_cell.is_cut;
    END LOOP;
    SELECT coalesce(sum(m.amount_minor), 0) AS amount, count(*) AS lines INTO v_part
    FROM public.ledger_members(v_cell, p_before) AS m
    WHERE (m.xact, m.id) < (v_end.xact, v_end.id) OR m.id <= v_end.base_id;
    amount := amount + v_part.amount;
    lines := lines + v_part.lines;
END;
$$;

-- How accounts stand before an instant on a clock: what the postings of each until then add up to,
-- and how many they are. Exact at any instant, while postings are written and rolled up: the months
-- before, what is rolled up of the instant's own, and the tail. All of one moment.
CREATE FUNCTION ledger_stand_before(p_accounts uuid[], p_clock text, p_before timestamptz)
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

-- The postings from the horizon up to a place behind it, each once for either clock.
CREATE FUNCTION ledger_window(p_state transactions_rollup, p_to_xact bigint, p_to_id uuid)
RETURNS TABLE (account_id uuid, clock text, id uuid, amount_minor bigint, at timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.account_id, c.clock, p.id, p.amount_minor, c.at
    FROM public.transactions_posting AS p
    CROSS JOIN LATERAL (VALUES ('occurred', p.occurred_at), ('recorded', (
        SELECT j.recorded_at FROM public.transactions_journal AS j WHERE j.id = p.journal_id))) AS c (clock, at)
    WHERE (p.xact, p.id) >= (p_state.horizon_xact, p_state.horizon_id) AND (p.xact, p.id) < (p_to_xact, p_to_id)
        AND p.id > p_state.base_id
$$;

-- Takes the postings from the horizon up to a place behind it into the cells: the months of their accounts on
-- both clocks, and the parts of every cell that was cut before. Returns the cells grown too large.
CREATE FUNCTION ledger_roll_in(p_state transactions_rollup, p_to_xact bigint, p_to_id uuid)
RETURNS transactions_movement[] LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_heavy public.transactions_movement[];
BEGIN
    WITH RECURSIVE lines AS (
        SELECT w.account_id, w.clock, 0 AS grain, date_trunc(public.ledger_grain(0), w.at, 'UTC') AS begins_at,
            w.id, w.amount_minor, w.at
        FROM public.ledger_window(p_state, p_to_xact, p_to_id) AS w
        UNION ALL
        SELECT l.account_id, l.clock, l.grain + 1, date_trunc(public.ledger_grain(l.grain + 1), l.at, 'UTC'),
            l.id, l.amount_minor, l.at
        FROM lines AS l
        INNER JOIN public.transactions_movement AS m
            ON m.account_id = l.account_id AND m.clock = l.clock AND m.grain = l.grain AND m.begins_at = l.begins_at
        WHERE m.is_cut
    ),

    grown AS (
        INSERT INTO public.transactions_movement AS m
            (account_id, clock, grain, begins_at, amount_minor, postings, first_id, last_id, is_cut)
        SELECT account_id, clock, grain, begins_at, sum(amount_minor), count(*),
            min(id::text)::uuid, max(id::text)::uuid, false
        FROM lines GROUP BY account_id, clock, grain, begins_at
        ON CONFLICT (account_id, clock, grain, begins_at) DO UPDATE
        SET amount_minor = m.amount_minor + excluded.amount_minor, postings = m.postings + excluded.postings,
            first_id = least(m.first_id, excluded.first_id), last_id = greatest(m.last_id, excluded.last_id)
        RETURNING m AS cell
    )

    SELECT array_agg(cell) INTO v_heavy FROM grown WHERE public.ledger_is_heavy(cell);
    RETURN v_heavy;
END;
$$;

-- Cuts cells into those of the next size, each with all it holds up to a place. Returns the parts
-- that are too large themselves.
CREATE FUNCTION ledger_cut(p_cells transactions_movement[], p_to_xact bigint, p_to_id uuid, p_base uuid)
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

-- Takes in what stands between the horizon and a place behind it, moves the horizon there, and
-- returns how many postings that were.
CREATE FUNCTION ledger_take_in(p_state transactions_rollup, p_to_xact bigint, p_to_id uuid) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_count integer;
    v_heavy public.transactions_movement[];
BEGIN
    SELECT count(*) INTO v_count FROM public.transactions_posting AS p
    WHERE (p.xact, p.id) >= (p_state.horizon_xact, p_state.horizon_id) AND (p.xact, p.id) < (p_to_xact, p_to_id)
        AND p.id > p_state.base_id;
    IF v_count > 0 THEN
        v_heavy := public.ledger_roll_in(p_state, p_to_xact, p_to_id);
        WHILE v_heavy IS NOT NULL LOOP
            v_heavy := public.ledger_cut(v_heavy, p_to_xact, p_to_id, p_state.base_id);
        END LOOP;
    END IF;
    UPDATE public.transactions_rollup SET horizon_xact = p_to_xact, horizon_id = p_to_id;
    RETURN v_count;
END;
$$;

-- Rolls up the next postings, at most so many, and returns how many they were. One at a time; who
-- comes second does nothing. Writers are neither waited for nor held up: a transaction that still
-- runs keeps the horizon before it, so what it commits later is rolled up later.
CREATE FUNCTION ledger_roll_up(p_postings_max integer DEFAULT 20000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_state public.transactions_rollup;
    v_now timestamptz;
    v_seen pg_snapshot;
    v_to_xact bigint;
    v_to_id uuid;
    v_count integer;
BEGIN
    IF NOT (public.ledger_horizon()).is_ours THEN
        RAISE EXCEPTION 'the roll-up is another cluster''s: a restored database starts it over';
    END IF;
    SELECT * INTO v_state FROM public.transactions_rollup FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN 0; END IF;
    v_now := clock_timestamp();
    v_seen := pg_current_snapshot();
    SELECT p.xact, p.id INTO v_to_xact, v_to_id FROM public.transactions_posting AS p
    WHERE (p.xact, p.id) >= (v_state.horizon_xact, v_state.horizon_id)
        AND p.xact < pg_snapshot_xmin(v_seen)::text::bigint AND p.id > v_state.base_id
    ORDER BY p.xact, p.id OFFSET p_postings_max LIMIT 1;
    IF NOT FOUND THEN
        v_to_xact := pg_snapshot_xmin(v_seen)::text::bigint;
        v_to_id := '00000000-0000-0000-0000-000000000000';
    END IF;
    v_count := public.ledger_take_in(v_state, v_to_xact, v_to_id);
    -- Whoever wrote before the mark is done: nothing will be recorded before it any more. A second
    -- less, because a row reads the clock a moment before its transaction gets its number.
    UPDATE public.transactions_rollup SET
        settled_at = CASE WHEN mark_xact <= pg_snapshot_xmin(v_seen)::text::bigint THEN mark_at ELSE settled_at END,
        mark_at = CASE WHEN mark_xact <= pg_snapshot_xmin(v_seen)::text::bigint
            THEN v_now - interval '1 second' ELSE mark_at END,
        mark_xact = CASE WHEN mark_xact <= pg_snapshot_xmin(v_seen)::text::bigint
            THEN pg_snapshot_xmax(v_seen)::text::bigint ELSE mark_xact END;
    RETURN v_count;
END;
$$;

-- Rolls up everything anew: after a restore into another cluster, whose transactions have numbers
-- of their own, or where the cells are in doubt. Writers wait until it is done; readers do not.
CREATE FUNCTION ledger_start_over() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_state public.transactions_rollup;
    v_count integer;
BEGIN
    LOCK TABLE public.transactions_posting IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM public.transactions_movement;
    UPDATE public.transactions_rollup SET
        horizon_xact = 0, horizon_id = '00000000-0000-0000-0000-000000000000',
        base_id = '00000000-0000-0000-0000-000000000000', mark_xact = 0, mark_at = '1970-01-01Z',
        settled_at = '1970-01-01Z', cluster = (SELECT system_identifier FROM pg_control_system())
    RETURNING * INTO v_state;
    v_count := public.ledger_take_in(v_state, 9223372036854775807, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    UPDATE public.transactions_rollup SET
        horizon_xact = pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        horizon_id = '00000000-0000-0000-0000-000000000000',
        base_id = coalesce((SELECT max(p.id::text)::uuid FROM public.transactions_posting AS p), base_id);
    RETURN v_count;
END;
$$;

ALTER TABLE transactions_movement OWNER TO cs_definer;
ALTER TABLE transactions_rollup OWNER TO cs_definer;
ALTER TABLE transactions_movement SET (fillfactor = 80);
ALTER FUNCTION ledger_grain(integer) OWNER TO cs_definer;
ALTER FUNCTION ledger_is_heavy(transactions_movement) OWNER TO cs_definer;
ALTER FUNCTION ledger_horizon() OWNER TO cs_definer;
ALTER FUNCTION ledger_members(transactions_movement, timestamptz) OWNER TO cs_definer;
ALTER FUNCTION ledger_within_month(uuid, text, timestamptz) OWNER TO cs_definer;
ALTER FUNCTION ledger_stand_before(uuid[], text, timestamptz) OWNER TO cs_definer;
ALTER FUNCTION ledger_window(transactions_rollup, bigint, uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_roll_in(transactions_rollup, bigint, uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_cut(transactions_movement[], bigint, uuid, uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_take_in(transactions_rollup, bigint, uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_roll_up(integer) OWNER TO cs_definer;
ALTER FUNCTION ledger_start_over() OWNER TO cs_definer;
SELECT ledger_start_over();
