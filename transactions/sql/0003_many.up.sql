-- The books, one journal or thousands at a time: lock and tell, then write; each in one call.

-- What a journal must be is seen to where its lines are written, all of them in one statement. Stricter than at
-- commit, and one look a statement instead of one a line.
DROP TRIGGER journal_balanced ON transactions_posting;
DROP FUNCTION ledger_require_balance();
CREATE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_journal uuid;
BEGIN
    SELECT l.journal_id INTO v_journal FROM (
        SELECT journal_id, count(*) AS lines, sum(amount_minor) AS total FROM new_lines GROUP BY journal_id, currency
    ) AS l
    -- Lines come with their journal: none is ever added to one that has committed.
    LEFT JOIN public.transactions_journal AS j ON j.id = l.journal_id
    GROUP BY l.journal_id, j.xact
    HAVING sum(l.lines) NOT BETWEEN 2 AND 64 OR bool_or(l.total <> 0)
        OR j.xact IS DISTINCT FROM pg_current_xact_id()::text::bigint
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = format('journal %s does not balance, or is not new', v_journal),
            CONSTRAINT = 'journal_balanced';
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION ledger_require_balance() OWNER TO cs_definer;
CREATE TRIGGER journal_balanced AFTER INSERT ON transactions_posting
REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION ledger_require_balance();

-- Locks the balances of p_accounts, lowest id first, so that two can wait for each other and never deadlock; and tells
-- how each stands as of now, with its limits: [{window, most, used}]. Today is UTC's; what failed or was called off is
-- not used, nor what was taken over from former books. With p_book, other books' accounts are neither locked nor told.
CREATE FUNCTION ledger_stand(p_accounts uuid[], p_book uuid DEFAULT NULL) RETURNS TABLE (
    account_id uuid, book_id uuid, currency varchar, posted_minor bigint, pending_minor bigint, floor_minor bigint,
    frozen smallint, is_active boolean, threshold_minor bigint, limits jsonb, told_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance AS b
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book)
    ORDER BY b.account_id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT b.account_id, b.book_id, a.currency, b.posted_minor, b.pending_minor, b.floor_minor, b.frozen,
        coalesce(p.is_active, true), coalesce(p.approval_threshold_minor, 0), (
            SELECT jsonb_agg(jsonb_build_object('window', l."window", 'most', l.amount_max_minor, 'used',
                CASE l."window" WHEN 'day' THEN (
                    SELECT coalesce(sum(t.amount_minor), 0) FROM public.transactions_transfer AS t
                    WHERE t.source_id = b.account_id AND t.state NOT IN ('failed', 'rejected', 'cancelled')
                        AND t.requested_at >= date_trunc('day', now(), 'UTC')
                        AND t.occurred_at >= date_trunc('day', now(), 'UTC')
                ) ELSE 0 END) ORDER BY l."window")
            FROM public.transactions_limit AS l WHERE l.account_id = b.account_id
        ), clock_timestamp()
    FROM public.transactions_balance AS b
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = b.account_id
    LEFT JOIN public.accounts_partner AS p ON p.book_id = b.book_id
    WHERE b.account_id = ANY(p_accounts) AND (p_book IS NULL OR b.book_id = p_book);
END;
$$;

-- The only way into the books: journals in their order, all or none; returns their ids in the same order.
--   p_journals: [{book, purpose, subject, origin, reverses, trace, occurred_at}]
--   p_lines: [{journal, account, amount, currency, release}], "journal" counted from 1; "release" frees that much of what
--   was reserved on the line's account.
-- Refused, naming rule and account: an account that is not of the journal's book and currency, a frozen one, and one
-- that would hold less than its floor after any of its lines.
DROP FUNCTION ledger_post(jsonb);
DROP FUNCTION ledger_shortfall(uuid, bigint);
DROP FUNCTION ledger_line(uuid, uuid, uuid, bigint, text, bigint, timestamptz);
DROP FUNCTION ledger_lock(uuid[]);
CREATE FUNCTION ledger_post(p_journals jsonb, p_lines jsonb) RETURNS uuid[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_ids uuid[];
    v_books uuid[];
    v_times timestamptz[];
BEGIN
    PERFORM 1 FROM public.transactions_balance
    WHERE account_id IN (SELECT l.account FROM jsonb_to_recordset(p_lines) AS l (account uuid))
    ORDER BY account_id FOR NO KEY UPDATE;
    WITH told AS MATERIALIZED (
        SELECT uuidv7() AS id, j.* FROM jsonb_to_recordset(p_journals) AS j (
            book uuid, purpose text, subject text, origin text, reverses uuid, trace text, occurred_at timestamptz)
    ), origins AS (
        INSERT INTO public.transactions_journalorigin (origin, journal_id, reverses) SELECT origin, id, reverses FROM told
    ), journals AS (
        INSERT INTO public.transactions_journal
            (id, book_id, purpose, subject_ref, origin, reverses, trace_id, occurred_at)
        SELECT id, book, purpose, subject, origin, reverses, trace, occurred_at FROM told
    )
    SELECT array_agg(id ORDER BY id), array_agg(book ORDER BY id), array_agg(occurred_at ORDER BY id)
    INTO v_ids, v_books, v_times FROM told;
    PERFORM public.ledger_check_book(b) FROM (SELECT DISTINCT b FROM unnest(v_books) AS b) AS books;
    IF (SELECT count(DISTINCT l.journal) FROM jsonb_to_recordset(p_lines) AS l (journal integer)) <> cardinality(v_ids) THEN
        PERFORM public.ledger_refuse('ledger_too_few_lines', v_books[1]);
    END IF;
    PERFORM public.ledger_write_lines(p_lines, v_ids, v_books, v_times);
    RETURN v_ids;
END;
$$;

-- Writes the lines of journals that were written just now, and moves the balances they run over.
CREATE FUNCTION ledger_write_lines(p_lines jsonb, p_ids uuid[], p_books uuid[], p_times timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH lines AS MATERIALIZED (
        SELECT l.*, a.id AS known_id, a.book_id, a.currency AS kept_in, a.keeps_balance,
            b.posted_minor + sum(l.amount) OVER so_far AS balance_after, b.version + row_number() OVER so_far AS version,
            b.floor_minor + b.pending_minor - sum(coalesce(l.release, 0)) OVER so_far AS least, b.frozen
        FROM ROWS FROM (jsonb_to_recordset(p_lines) AS (
            journal integer, account uuid, amount bigint, currency text, release bigint
        )) WITH ORDINALITY AS l (journal, account, amount, currency, release, n)
        LEFT JOIN public.transactions_ledgeraccount AS a ON a.id = l.account
        LEFT JOIN public.transactions_balance AS b ON b.account_id = l.account
        WINDOW so_far AS (PARTITION BY l.account ORDER BY l.n)
    ), sound AS MATERIALIZED (
        SELECT lines.*, CASE
            WHEN known_id IS NULL OR book_id <> p_books[journal] OR keeps_balance <> (version IS NOT NULL)
                THEN public.ledger_refuse('ledger_unknown_account', account)
            WHEN kept_in <> currency THEN public.ledger_refuse('ledger_wrong_currency', account)
            WHEN amount < 0 AND frozen & 1 = 1 AND coalesce(release, 0) = 0 OR amount > 0 AND frozen & 2 = 2
                THEN public.ledger_refuse('ledger_account_frozen', account)
            WHEN amount < 0 AND balance_after < least THEN public.ledger_refuse('balance_above_floor', account)
        END AS refusal
        FROM lines
    ), written AS (
        INSERT INTO public.transactions_posting
            (journal_id, book_id, account_id, amount_minor, currency, balance_after_minor, account_version, occurred_at)
        SELECT p_ids[journal], book_id, account, amount, currency, balance_after, version, p_times[journal]
        FROM sound ORDER BY n
    )
    UPDATE public.transactions_balance AS b
    SET posted_minor = b.posted_minor + s.amount, pending_minor = b.pending_minor - s.release, version = b.version + s.lines
    FROM (
        SELECT account, sum(amount) AS amount, sum(coalesce(release, 0)) AS release, count(*) AS lines
        FROM sound WHERE keeps_balance GROUP BY account
    ) AS s WHERE b.account_id = s.account;
END;
$$;

-- Reserves money (amounts above zero) or frees it (below zero), account by account.
DROP FUNCTION ledger_reserve(uuid, bigint);
CREATE FUNCTION ledger_reserve(p_accounts uuid[], p_amounts bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance WHERE account_id = ANY(p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
    WITH asked AS MATERIALIZED (
        SELECT r.account, sum(r.amount) AS amount, count(*) AS lines
        FROM unnest(p_accounts, p_amounts) AS r (account, amount) GROUP BY r.account
    ), sound AS MATERIALIZED (
        SELECT asked.*, CASE
            WHEN b.account_id IS NULL THEN public.ledger_refuse('ledger_unknown_account', account)
            WHEN amount > 0 AND b.frozen & 1 = 1 THEN public.ledger_refuse('ledger_account_frozen', account)
            -- Compared before it is added: an amount near 2^63 must be refused, not overflow.
            WHEN amount > b.posted_minor::numeric - b.pending_minor - b.floor_minor
                THEN public.ledger_refuse('balance_above_floor', account)
        END AS refusal, public.ledger_check_book(b.book_id) AS book
        FROM asked LEFT JOIN public.transactions_balance AS b ON b.account_id = asked.account
    )
    UPDATE public.transactions_balance AS b
    SET pending_minor = b.pending_minor + s.amount, version = b.version + s.lines
    FROM sound AS s WHERE b.account_id = s.account;
END;
$$;

-- Stores new transfers as their entries' touches spell them. Runs with the rights of whoever calls it.
CREATE FUNCTION transfers_store(p_rows jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO public.transactions_transfer
    SELECT * FROM jsonb_populate_recordset(NULL::public.transactions_transfer, p_rows);
END;
$$;

GRANT SELECT ON accounts_partner, transactions_limit, transactions_transfer TO cs_definer;
ALTER FUNCTION ledger_stand(uuid[], uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_post(jsonb, jsonb) OWNER TO cs_definer;
ALTER FUNCTION ledger_write_lines(jsonb, uuid[], uuid[], timestamptz[]) OWNER TO cs_definer;
ALTER FUNCTION ledger_reserve(uuid[], bigint[]) OWNER TO cs_definer;

-- An origin is looked up whole. A version is looked up by its row or its date: the copied keys' indexes serve nobody.
DROP INDEX transactions_journalorigin_origin_1395b842_like;
DO $$
DECLARE
    v_index regclass;
BEGIN
    FOR v_index IN
        SELECT x.indexrelid::regclass FROM pg_index AS x
        INNER JOIN pg_class AS c ON c.oid = x.indrelid
        INNER JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
        WHERE c.relname LIKE 'transactions\_historical%' AND NOT x.indisprimary AND a.attname NOT IN ('id', 'history_date')
    LOOP
        EXECUTE format('DROP INDEX %s', v_index);
    END LOOP;
END;
$$;
