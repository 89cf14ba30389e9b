-- Closed months leave the books as tables of their own, and the balances go on from where they stood: see
-- docs/adr/0017-months-are-put-away.md.
--
-- What is put away is told by the journal: every journal before an id, whole, with lines that were written just after
-- the border, too. Rolled-up cells hold what is still here and nothing else; one balance an account stands for the rest.
-- Both clocks may be asked from the first instant on that has all of the rest behind it.
CREATE SCHEMA archive AUTHORIZATION cs_definer;
CALL audit_guard('transactions_archivedmonth', 'transactions_historicalarchivedmonth');
ALTER TABLE transactions_archivedbalance OWNER TO cs_definer;
CALL audit_append_only('transactions_archivedbalance');
GRANT SELECT ON transactions_archivedmonth TO cs_definer;

-- What is put away now: everything in journals before an id. Nothing is, where nothing was.
CREATE FUNCTION ledger_archived(
    OUT before uuid, OUT month date, OUT occurred_until timestamptz, OUT recorded_until timestamptz
) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(m.before, '00000000-0000-0000-0000-000000000000'), m.month, coalesce(m.occurred_until, '-infinity'),
        coalesce(m.recorded_until, '-infinity')
    FROM (VALUES (1)) AS one (row)
    LEFT JOIN (
        SELECT * FROM public.transactions_archivedmonth WHERE is_away ORDER BY month DESC LIMIT 1
    ) AS m ON true
$$;

-- What that adds up to, account by account.
CREATE FUNCTION ledger_brought_forward() RETURNS SETOF transactions_archivedbalance LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.* FROM public.transactions_archivedbalance AS b WHERE b.month = (SELECT a.month FROM public.ledger_archived() AS a)
$$;

-- The transfers whose money moved in what is put away: their origins stay, and nobody changes them.
CREATE FUNCTION ledger_transfers_away() RETURNS SETOF uuid LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT substr(o.origin, 10, 36)::uuid FROM public.transactions_journalorigin AS o
    WHERE o.journal_id < (SELECT a.before FROM public.ledger_archived() AS a)
        AND o.origin ~ '^transfer:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:settled$'
$$;

-- The partition of a month.
CREATE FUNCTION ledger_partition(p_parent text, p_month date) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$ SELECT p_parent || to_char(p_month, '"_y"YYYY"m"MM') $$;

-- Where a month of journals ends, and the next begins.
CREATE FUNCTION ledger_month_floor(p_month date) RETURNS uuid LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$ SELECT public.audit_uuid_floor(p_month::timestamp AT TIME ZONE 'UTC') $$;

-- The lines of one month's journals, with what was written just after the border. A journal and its lines are one
-- statement, so an hour is more than enough.
CREATE FUNCTION ledger_lines_of(p_month date) RETURNS SETOF transactions_posting LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.* FROM public.transactions_posting AS p
    WHERE p.journal_id >= public.ledger_month_floor(p_month)
        AND p.journal_id < public.ledger_month_floor((p_month + interval '1 month')::date)
        AND p.id >= public.ledger_month_floor(p_month)
        AND p.id < public.audit_uuid_floor((p_month + interval '1 month') AT TIME ZONE 'UTC' + interval '1 hour')
$$;

-- How every account stands with all journals up to a month's end, from rows: what was brought forward, and the lines.
CREATE FUNCTION ledger_sum_up(p_month date) RETURNS SETOF transactions_archivedbalance LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p_month, a.id, a.book_id, a.currency, sum(s.amount)::bigint, sum(s.lines)::bigint
    FROM (
        SELECT b.account_id, b.balance_minor AS amount, b.postings AS lines FROM public.ledger_brought_forward() AS b
        UNION ALL
        SELECT p.account_id, p.amount_minor, 1 FROM public.ledger_lines_of(p_month) AS p
    ) AS s
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = s.account_id
    GROUP BY a.id, a.book_id, a.currency
$$;

-- One figure over what a month's snapshot says.
CREATE FUNCTION ledger_digest_of(p_month date) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        format('%s %s %s', b.account_id, b.balance_minor, b.postings), E'\n' ORDER BY b.account_id), ''), 'UTF8')), 'hex')
    FROM public.transactions_archivedbalance AS b WHERE b.month = p_month
$$;

-- Says no unless a month may leave next: it is closed, it is the oldest that is here, one after it stays whole, and all
-- of it is rolled up.
CREATE FUNCTION ledger_require_next(p_month date) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_none constant uuid := '00000000-0000-0000-0000-000000000000';
    v_end record := public.ledger_horizon();
BEGIN
    IF (
        SELECT min(c.relname::text) FROM pg_inherits AS i INNER JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.transactions_posting'::regclass
    ) IS DISTINCT FROM public.ledger_partition('transactions_posting', p_month) THEN
        PERFORM public.ledger_refuse('month_next_in_order', v_none);
    END IF;
    IF NOT EXISTS (SELECT FROM public.transactions_closedmonth AS m WHERE m.month = p_month) THEN
        PERFORM public.ledger_refuse('month_closed_first', v_none);
    END IF;
    IF p_month >= date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month' THEN
        PERFORM public.ledger_refuse('month_not_the_last', v_none);
    END IF;
    IF NOT v_end.is_ours OR EXISTS (
        SELECT FROM public.ledger_lines_of(p_month) AS p WHERE (p.xact, p.id) >= (v_end.xact, v_end.id) AND p.id > v_end.base_id
    ) THEN
        PERFORM public.ledger_refuse('month_settled', v_none);
    END IF;
END;
$$;

-- Says no unless what was kept when a month was closed is what rows say now, and its digest is over it.
CREATE FUNCTION ledger_require_closed_true(p_month date) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_end timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
    v_off uuid;
BEGIN
    SELECT coalesce(kept.account_id, told.account_id) INTO v_off
    FROM (SELECT * FROM public.transactions_closedbalance WHERE month = p_month) AS kept
    FULL JOIN (
        SELECT s.account_id, sum(s.amount) AS amount, sum(s.lines) AS lines
        FROM (
            SELECT b.account_id, b.balance_minor AS amount, b.postings AS lines FROM public.ledger_brought_forward() AS b
            UNION ALL
            SELECT p.account_id, p.amount_minor, 1
            FROM public.ledger_lines_of(p_month) AS p
            INNER JOIN public.transactions_journal AS j ON j.id = p.journal_id
            WHERE j.recorded_at < v_end
        ) AS s GROUP BY s.account_id
    ) AS told ON told.account_id = kept.account_id
    WHERE (kept.balance_minor, kept.postings) IS DISTINCT FROM (told.amount, told.lines)
    ORDER BY 1 LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('month_snapshot_true', v_off); END IF;
    PERFORM FROM public.transactions_closedmonth AS m
    WHERE m.month = p_month AND m.digest = encode(sha256(convert_to(coalesce((
        SELECT string_agg(format('%s %s %s', b.account_id, b.balance_minor, b.postings), E'\n' ORDER BY b.account_id)
        FROM public.transactions_closedbalance AS b WHERE b.month = p_month), ''), 'UTF8')), 'hex');
    IF NOT FOUND THEN
        PERFORM public.ledger_refuse('month_snapshot_true', '00000000-0000-0000-0000-000000000000');
    END IF;
END;
$$;

-- Says no unless a month's snapshot, if there is one, is what rows say now, sums to zero in each book and currency, and
-- is how the last line of each account left it.
CREATE FUNCTION ledger_require_snapshot_true(p_month date) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_off uuid;
BEGIN
    SELECT coalesce(kept.account_id, told.account_id) INTO v_off
    FROM (SELECT * FROM public.transactions_archivedbalance WHERE month = p_month) AS kept
    FULL JOIN public.ledger_sum_up(p_month) AS told ON told.account_id = kept.account_id
    LEFT JOIN (
        SELECT DISTINCT ON (p.account_id) p.account_id, p.balance_after_minor
        FROM public.ledger_lines_of(p_month) AS p WHERE p.account_version IS NOT NULL
        ORDER BY p.account_id, p.account_version DESC
    ) AS last ON last.account_id = told.account_id
    WHERE (kept.balance_minor, kept.postings) IS DISTINCT FROM (told.balance_minor, told.postings)
        OR last.balance_after_minor <> told.balance_minor
    ORDER BY 1 LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('month_snapshot_true', v_off); END IF;
    SELECT b.book_id INTO v_off FROM public.transactions_archivedbalance AS b
    WHERE b.month = p_month GROUP BY b.book_id, b.currency HAVING sum(b.balance_minor) <> 0 LIMIT 1;
    IF FOUND THEN PERFORM public.ledger_refuse('month_snapshot_true', v_off); END IF;
END;
$$;

-- Takes the lines of a month into the cells (p_sign 1) or out of them (-1), to the second where cells are cut so far.
-- The roll-up waits meanwhile; writers and readers do not.
CREATE FUNCTION ledger_roll_month(p_month date, p_sign integer) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_state public.transactions_rollup;
    v_heavy public.transactions_movement[];
BEGIN
    SELECT * INTO v_state FROM public.transactions_rollup FOR NO KEY UPDATE;
    WITH RECURSIVE lines AS (
        SELECT p.account_id, c.clock, 0 AS grain, date_trunc(public.ledger_grain(0), c.at, 'UTC') AS begins_at,
            p.id, p.amount_minor, c.at
        FROM public.ledger_lines_of(p_month) AS p
        INNER JOIN public.transactions_journal AS j ON j.id = p.journal_id
        CROSS JOIN LATERAL (VALUES ('occurred', p.occurred_at), ('recorded', j.recorded_at)) AS c (clock, at)
        UNION ALL
        SELECT l.account_id, l.clock, l.grain + 1, date_trunc(public.ledger_grain(l.grain + 1), l.at, 'UTC'),
            l.id, l.amount_minor, l.at
        FROM lines AS l
        INNER JOIN public.transactions_movement AS m
            ON m.account_id = l.account_id AND m.clock = l.clock AND m.grain = l.grain AND m.begins_at = l.begins_at
        WHERE m.is_cut
    ),

    moved AS (
        INSERT INTO public.transactions_movement AS m
            (account_id, clock, grain, begins_at, amount_minor, postings, first_id, last_id, is_cut)
        SELECT account_id, clock, grain, begins_at, p_sign * sum(amount_minor), p_sign * count(*),
            min(id::text)::uuid, max(id::text)::uuid, false
        FROM lines GROUP BY account_id, clock, grain, begins_at
        ON CONFLICT (account_id, clock, grain, begins_at) DO UPDATE
        SET amount_minor = m.amount_minor + excluded.amount_minor, postings = m.postings + excluded.postings,
            first_id = least(m.first_id, excluded.first_id), last_id = greatest(m.last_id, excluded.last_id)
        RETURNING m AS cell
    )

    SELECT array_agg(cell) INTO v_heavy FROM moved WHERE public.ledger_is_heavy(cell);
    WHILE v_heavy IS NOT NULL LOOP
        v_heavy := public.ledger_cut(v_heavy, v_state.horizon_xact, v_state.horizon_id, v_state.base_id);
    END LOOP;
    DELETE FROM public.transactions_movement WHERE postings = 0;
END;
$$;

-- Gets a month ready to leave: looks whether it may, writes down how every account stands with it, or finds it written
-- down so, and takes it out of the cells. Tells what its row is to say. No writer waits for any of this.
CREATE FUNCTION ledger_make_ready(
    p_month date, OUT before uuid, OUT occurred_until timestamptz, OUT recorded_until timestamptz,
    OUT journals bigint, OUT postings bigint, OUT accounts integer, OUT digest text
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_end timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
    v_tick constant interval := '1 microsecond';
    v_past record := public.ledger_archived();
BEGIN
    PERFORM FROM public.transactions_rollup FOR NO KEY UPDATE;
    PERFORM public.ledger_require_next(p_month);
    PERFORM public.ledger_require_closed_true(p_month);
    IF NOT EXISTS (SELECT FROM public.transactions_archivedbalance AS b WHERE b.month = p_month) THEN
        INSERT INTO public.transactions_archivedbalance SELECT * FROM public.ledger_sum_up(p_month);
    END IF;
    PERFORM public.ledger_require_snapshot_true(p_month);
    before := public.ledger_month_floor(v_end::date);
    SELECT greatest(v_end, v_past.occurred_until, max(j.occurred_at) + v_tick),
        greatest(v_end, v_past.recorded_until, max(j.recorded_at) + v_tick), count(*)
    INTO occurred_until, recorded_until, journals
    FROM public.transactions_journal AS j
    WHERE j.id >= public.ledger_month_floor(p_month) AND j.id < before;
    SELECT count(*) INTO postings FROM public.ledger_lines_of(p_month);
    SELECT count(*), public.ledger_digest_of(p_month) INTO accounts, digest
    FROM public.transactions_archivedbalance AS b WHERE b.month = p_month;
    PERFORM public.ledger_roll_month(p_month, -1);
END;
$$;

-- Waits for the books to stand still, for a fifth of a second at a time, so that writers never stand still for longer:
-- whoever reads for minutes (a check, a backup) is let finish.
CREATE FUNCTION ledger_stand_still(p_month date) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    FOR v_try IN 1..100 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '200ms', true);
            EXECUTE format('LOCK TABLE ONLY public.%I, public.%I, public.transactions_journal, public.transactions_posting'
                ' IN ACCESS EXCLUSIVE MODE', public.ledger_partition('transactions_journal', p_month),
                public.ledger_partition('transactions_posting', p_month));
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.3);
        END;
    END LOOP;
    PERFORM public.ledger_refuse('books_busy', '00000000-0000-0000-0000-000000000000');
END;
$$;

-- Lets a month go: its tables are no longer parts of the books. To be called last, for from here on the books stand
-- still until it commits.
CREATE FUNCTION ledger_detach(p_month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_parent text;
    v_part text;
BEGIN
    PERFORM public.ledger_stand_still(p_month);
    FOREACH v_parent IN ARRAY ARRAY['transactions_posting', 'transactions_journal'] LOOP
        v_part := public.ledger_partition(v_parent, p_month);
        EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', v_parent, v_part);
        EXECUTE format('ALTER TABLE public.%I SET SCHEMA archive', v_part);
        EXECUTE format('GRANT SELECT ON archive.%I TO cs_auditor, cs_backup', v_part);
    END LOOP;
END;
$$;

-- Takes a month back in, if its rows are those that left: its tables are parts of the books again, and of the cells. Its
-- row must say so already. Nobody waits: attaching locks out nothing but other such acts.
CREATE FUNCTION ledger_attach(p_month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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

ALTER FUNCTION ledger_archived() OWNER TO cs_definer;
ALTER FUNCTION ledger_brought_forward() OWNER TO cs_definer;
ALTER FUNCTION ledger_transfers_away() OWNER TO cs_definer;
ALTER FUNCTION ledger_partition(text, date) OWNER TO cs_definer;
ALTER FUNCTION ledger_month_floor(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_lines_of(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_sum_up(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_digest_of(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_require_next(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_require_closed_true(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_require_snapshot_true(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_roll_month(date, integer) OWNER TO cs_definer;
ALTER FUNCTION ledger_make_ready(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_stand_still(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_detach(date) OWNER TO cs_definer;
ALTER FUNCTION ledger_attach(date) OWNER TO cs_definer;
