-- The books: journals and postings, born partitioned by month on their UUIDv7 key, with their book.

CREATE TABLE transactions_journal (
    id uuid NOT NULL DEFAULT uuidv7(),
    book_id uuid NOT NULL,
    purpose varchar(40) NOT NULL,
    subject_ref varchar(120) NOT NULL,
    origin varchar(160) NOT NULL,
    reverses uuid,
    trace_id varchar(32) NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT transactions_journal_pkey PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX journal_by_subject ON transactions_journal (subject_ref);
CREATE INDEX journal_by_book ON transactions_journal (book_id, id);
CREATE INDEX journal_by_trace ON transactions_journal (trace_id);
CREATE INDEX journal_by_origin ON transactions_journal (origin);
CREATE INDEX journal_by_occurred ON transactions_journal (occurred_at);

CREATE TABLE transactions_posting (
    id uuid NOT NULL DEFAULT uuidv7(),
    journal_id uuid NOT NULL,
    book_id uuid NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency varchar(3) NOT NULL,
    balance_after_minor bigint,
    account_version bigint,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT transactions_posting_pkey PRIMARY KEY (id),
    CONSTRAINT posting_not_zero CHECK (amount_minor <> 0)
) PARTITION BY RANGE (id);
CREATE INDEX posting_by_account ON transactions_posting (account_id, id);
CREATE INDEX posting_by_journal ON transactions_posting (journal_id);

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
CREATE CONSTRAINT TRIGGER journal_balanced AFTER INSERT ON transactions_posting
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_require_balance();

-- Says no in the ledger's own words; the name arrives as the error's constraint.
CREATE FUNCTION ledger_refuse(p_rule text, p_account uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LG002', MESSAGE = format('%s: %s', p_rule, p_account), CONSTRAINT = p_rule, DETAIL = p_account::text;
END;
$$;

-- A transaction that acts for one book must not write into another.
CREATE FUNCTION ledger_check_book(p_book uuid) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_acting text := nullif(current_setting('app.book', true), '');
BEGIN
    IF v_acting IS NOT NULL AND v_acting::uuid <> p_book THEN
        PERFORM public.ledger_refuse('ledger_foreign_book', p_book);
    END IF;
END;
$$;

-- Locks the balances of p_accounts, lowest id first, so that two postings can wait and never deadlock.
CREATE FUNCTION ledger_lock(p_accounts uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.transactions_balance
    WHERE account_id = ANY(p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
END;
$$;

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

-- Sets the freeze bits of an account: 1 stops debits, 2 stops credits. Waits for postings under way.
CREATE FUNCTION ledger_freeze(p_account uuid, p_bits integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE public.transactions_balance SET frozen = p_bits::smallint WHERE account_id = p_account;
    IF NOT FOUND THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
END;
$$;

-- Opens the balance of a new account at zero.
CREATE FUNCTION ledger_open(p_account uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.transactions_balance (account_id, book_id, posted_minor, pending_minor, floor_minor, frozen, version)
    SELECT id, book_id, 0, 0, 0, 0, 0 FROM public.transactions_ledgeraccount WHERE id = p_account AND keeps_balance;
    IF NOT FOUND THEN PERFORM public.ledger_refuse('ledger_unknown_account', p_account); END IF;
END;
$$;

ALTER TABLE transactions_journal OWNER TO cs_definer;
ALTER TABLE transactions_posting OWNER TO cs_definer;
ALTER TABLE transactions_journalorigin OWNER TO cs_definer;
ALTER TABLE transactions_balance OWNER TO cs_definer;
GRANT SELECT ON transactions_ledgeraccount TO cs_definer;
CALL audit_append_only('transactions_journal');
CALL audit_append_only('transactions_posting');
CALL audit_append_only('transactions_journalorigin');
ALTER FUNCTION ledger_require_balance() OWNER TO cs_definer;
ALTER FUNCTION ledger_lock(uuid[]) OWNER TO cs_definer;
ALTER FUNCTION ledger_post(jsonb) OWNER TO cs_definer;
ALTER FUNCTION ledger_reserve(uuid, bigint) OWNER TO cs_definer;
ALTER FUNCTION ledger_freeze(uuid, integer) OWNER TO cs_definer;
ALTER FUNCTION ledger_open(uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_refuse(text, uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_check_book(uuid) OWNER TO cs_definer;
ALTER FUNCTION ledger_line(uuid, uuid, uuid, bigint, text, bigint, timestamptz) OWNER TO cs_definer;
ALTER FUNCTION ledger_shortfall(uuid, bigint) OWNER TO cs_definer;
SELECT audit_make_partitions();

-- A payout that waits for a second signature leaves only with a used approval, and what was asked never changes.
CREATE FUNCTION transfer_keep_faith() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (old.book_id, old.kind, old.source_id, old.destination_id, old.payee_name_id, old.payee_iban_id, old.amount_minor,
        old.currency, old.origin, old.approval_id, old.requested_by)
        IS DISTINCT FROM
        (new.book_id, new.kind, new.source_id, new.destination_id, new.payee_name_id, new.payee_iban_id, new.amount_minor,
        new.currency, new.origin, new.approval_id, new.requested_by)
    THEN
        PERFORM public.ledger_refuse('transfer_order_fixed', old.id);
    END IF;
    IF old.state = 'awaiting_approval' AND new.state NOT IN ('awaiting_approval', 'rejected', 'cancelled') AND NOT EXISTS (
        SELECT 1 FROM public.accounts_approval WHERE id = old.approval_id AND state = 'used')
    THEN
        PERFORM public.ledger_refuse('transfer_approved', old.id);
    END IF;
    RETURN new;
END;
$$;
ALTER FUNCTION transfer_keep_faith() OWNER TO cs_definer;
GRANT SELECT ON accounts_approval TO cs_definer;
CREATE TRIGGER keep_faith BEFORE UPDATE ON transactions_transfer
FOR EACH ROW EXECUTE FUNCTION transfer_keep_faith();

CALL audit_guard('transactions_book', 'transactions_historicalbook');
CALL audit_guard('transactions_ledgeraccount', 'transactions_historicalledgeraccount');
CALL audit_guard('transactions_transfer', 'transactions_historicaltransfer');
CALL audit_guard('transactions_hold', 'transactions_historicalhold');
CALL audit_guard('transactions_limit', 'transactions_historicallimit');
CALL audit_guard('transactions_payment', 'transactions_historicalpayment');
CALL audit_guard('transactions_dispute', 'transactions_historicaldispute');
CALL audit_guard('transactions_providerpayout', 'transactions_historicalproviderpayout');
