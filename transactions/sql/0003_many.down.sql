-- Back to one line at a time.
DROP FUNCTION transfers_store(jsonb);
DROP FUNCTION ledger_reserve(uuid[], bigint[]);
DROP FUNCTION ledger_post(jsonb, jsonb);
DROP FUNCTION ledger_write_lines(jsonb, uuid[], uuid[], timestamptz[]);
DROP FUNCTION ledger_stand(uuid[], uuid);
DROP TRIGGER journal_balanced ON transactions_posting;
DROP FUNCTION ledger_require_balance();
CREATE INDEX transactions_journalorigin_origin_1395b842_like ON transactions_journalorigin (origin varchar_pattern_ops);

-- Every journal sums to zero in each currency and has 2 to 64 lines, checked when its lines commit.
CREATE FUNCTION ledger_require_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_lines integer;
    v_off integer;
BEGIN
    SELECT sum(lines), count(*) FILTER (WHERE total <> 0) INTO v_lines, v_off FROM (
        SELECT count(*) AS lines, sum(amount_minor) AS total
        FROM public.transactions_posting WHERE journal_id = new.journal_id GROUP BY currency
    ) AS by_currency;
    IF v_off > 0 OR v_lines NOT BETWEEN 2 AND 64 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LG001',
            MESSAGE = format('journal %s is off in %s currencies over %s lines', new.journal_id, v_off, v_lines),
            CONSTRAINT = 'journal_balanced';
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION ledger_require_balance() OWNER TO cs_definer;

-- Locks the balances of p_accounts, lowest id first, so that two postings can wait and never deadlock.
CREATE FUNCTION ledger_lock(p_accounts uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance
    WHERE account_id = ANY(p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
END;
$$;
ALTER FUNCTION ledger_lock(uuid[]) OWNER TO cs_definer;

-- Writes one line and moves its account's balance. p_release frees what was reserved for it.
-- A frozen account refuses; so does a floor (the table's own CHECK).
CREATE FUNCTION ledger_line(
    p_journal uuid, p_book uuid, p_account uuid, p_amount bigint, p_currency text, p_release bigint, p_at timestamptz
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_account public.transactions_ledgeraccount;
    v_frozen smallint;
    v_after bigint;
    v_version bigint;
BEGIN
    SELECT * INTO v_account FROM public.transactions_ledgeraccount WHERE id = p_account;
    IF NOT FOUND OR v_account.book_id <> p_book THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
    IF v_account.currency <> p_currency THEN PERFORM public.ledger_refuse('ledger_wrong_currency', p_account); END IF;
    IF v_account.keeps_balance THEN
        SELECT frozen INTO v_frozen FROM public.transactions_balance WHERE account_id = p_account;
        IF (p_amount < 0 AND v_frozen & 1 = 1 AND p_release = 0) OR (p_amount > 0 AND v_frozen & 2 = 2) THEN
            PERFORM public.ledger_refuse('ledger_account_frozen', p_account);
        END IF;
        UPDATE public.transactions_balance
        SET posted_minor = posted_minor + p_amount, pending_minor = pending_minor - p_release, version = version + 1
        WHERE account_id = p_account
        RETURNING posted_minor, version INTO v_after, v_version;
        IF NOT FOUND THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
    END IF;
    INSERT INTO public.transactions_posting
        (journal_id, book_id, account_id, amount_minor, currency, balance_after_minor, account_version, occurred_at)
    VALUES (p_journal, p_book, p_account, p_amount, p_currency, v_after, v_version, p_at);
END;
$$;
ALTER FUNCTION ledger_line(uuid, uuid, uuid, bigint, text, bigint, timestamptz) OWNER TO cs_definer;

-- How much of a debit an account cannot bear: for money that has left already at the provider.
CREATE FUNCTION ledger_shortfall(p_account uuid, p_amount bigint) RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_balance public.transactions_balance;
BEGIN
    SELECT * INTO v_balance FROM public.transactions_balance WHERE account_id = p_account;
    IF NOT FOUND THEN RETURN 0; END IF;
    IF p_amount < 0 THEN
        IF v_balance.frozen & 1 = 1 THEN RETURN p_amount; END IF;
        RETURN least(0, p_amount + greatest(0, v_balance.posted_minor - v_balance.pending_minor - v_balance.floor_minor));
    END IF;
    RETURN CASE WHEN v_balance.frozen & 2 = 2 THEN p_amount ELSE 0 END;
END;
$$;
ALTER FUNCTION ledger_shortfall(uuid, bigint) OWNER TO cs_definer;

-- The only way into the books. One journal:
--   {book, purpose, subject, origin, reverses, trace, occurred_at, spill, lines: [{account, amount, currency, release}]}
-- With "spill" (an account without a balance) the part of a line that its account cannot bear goes
-- there instead: the world has moved the money, so the books must say so.
CREATE FUNCTION ledger_post(p_journal jsonb) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_id uuid := uuidv7();
    v_book uuid := (p_journal ->> 'book')::uuid;
    v_at timestamptz := (p_journal ->> 'occurred_at')::timestamptz;
    v_spill uuid := (p_journal ->> 'spill')::uuid;
    v_line record;
    v_short bigint;
BEGIN
    PERFORM public.ledger_check_book(v_book);
    IF jsonb_array_length(p_journal -> 'lines') < 2 THEN
        PERFORM public.ledger_refuse('ledger_too_few_lines', v_book);
    END IF;
    PERFORM public.ledger_lock(ARRAY(
        SELECT (l ->> 'account')::uuid FROM jsonb_array_elements(p_journal -> 'lines') AS l));
    INSERT INTO public.transactions_journalorigin (origin, journal_id, reverses)
    VALUES (p_journal ->> 'origin', v_id, (p_journal ->> 'reverses')::uuid);
    INSERT INTO public.transactions_journal
        (id, book_id, purpose, subject_ref, origin, reverses, trace_id, occurred_at)
    VALUES (v_id, v_book, p_journal ->> 'purpose', p_journal ->> 'subject', p_journal ->> 'origin',
        (p_journal ->> 'reverses')::uuid, p_journal ->> 'trace', v_at);
    FOR v_line IN
        SELECT * FROM jsonb_to_recordset(p_journal -> 'lines')
            AS l (account uuid, amount bigint, currency text, release bigint)
    LOOP
        v_short := CASE WHEN v_spill IS NULL THEN 0 ELSE public.ledger_shortfall(v_line.account, v_line.amount) END;
        IF v_line.amount <> v_short THEN
            PERFORM public.ledger_line(v_id, v_book, v_line.account, v_line.amount - v_short, v_line.currency,
                coalesce(v_line.release, 0), v_at);
        END IF;
        IF v_short <> 0 THEN
            PERFORM public.ledger_line(v_id, v_book, v_spill, v_short, v_line.currency, 0, v_at);
        END IF;
    END LOOP;
    RETURN v_id;
END;
$$;
ALTER FUNCTION ledger_post(jsonb) OWNER TO cs_definer;

-- Reserves money (p_amount > 0) or frees it (p_amount < 0).
CREATE FUNCTION ledger_reserve(p_account uuid, p_amount bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_balance public.transactions_balance;
BEGIN
    SELECT * INTO v_balance FROM public.transactions_balance WHERE account_id = p_account FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
    PERFORM public.ledger_check_book(v_balance.book_id);
    IF p_amount > 0 AND v_balance.frozen & 1 = 1 THEN
        PERFORM public.ledger_refuse('ledger_account_frozen', p_account);
    END IF;
    -- Compared before it is added: an amount near 2^63 must be refused, not overflow.
    IF p_amount > v_balance.posted_minor - v_balance.pending_minor - v_balance.floor_minor THEN
        PERFORM public.ledger_refuse('balance_above_floor', p_account);
    END IF;
    UPDATE public.transactions_balance SET pending_minor = pending_minor + p_amount, version = version + 1
    WHERE account_id = p_account;
END;
$$;
ALTER FUNCTION ledger_reserve(uuid, bigint) OWNER TO cs_definer;

CREATE CONSTRAINT TRIGGER journal_balanced AFTER INSERT ON transactions_posting
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_balance();
