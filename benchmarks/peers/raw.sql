-- R: one PL/pgSQL call a transfer, with foreign keys. The two balances are locked first, lowest id first.
CREATE TABLE account (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0),
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payer_id bigint NOT NULL REFERENCES account,
    payee_id bigint NOT NULL REFERENCES account,
    amount bigint NOT NULL CHECK (amount > 0),
    reference uuid NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (payer_id <> payee_id)
);
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id bigint NOT NULL REFERENCES transfer,
    account_id bigint NOT NULL REFERENCES account,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX entry_by_account ON entry (account_id, id);
CREATE INDEX entry_by_transfer ON entry (transfer_id);

CREATE FUNCTION post_one(p_payer bigint, p_payee bigint, p_amount bigint, p_reference uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_transfer bigint;
    v_payer bigint;
    v_payee bigint;
BEGIN
    IF p_payer < p_payee THEN
        UPDATE account SET balance = balance - p_amount, version = version + 1 WHERE id = p_payer RETURNING balance INTO v_payer;
        UPDATE account SET balance = balance + p_amount, version = version + 1 WHERE id = p_payee RETURNING balance INTO v_payee;
    ELSE
        UPDATE account SET balance = balance + p_amount, version = version + 1 WHERE id = p_payee RETURNING balance INTO v_payee;
        UPDATE account SET balance = balance - p_amount, version = version + 1 WHERE id = p_payer RETURNING balance INTO v_payer;
    END IF;
    INSERT INTO transfer (payer_id, payee_id, amount, reference)
    VALUES (p_payer, p_payee, p_amount, p_reference) RETURNING id INTO v_transfer;
    INSERT INTO entry (transfer_id, account_id, amount, balance_after)
    VALUES (v_transfer, p_payer, -p_amount, v_payer), (v_transfer, p_payee, p_amount, v_payee);
    RETURN v_transfer;
END;
$$;

-- B: a whole batch in one statement, without foreign keys: the locking join knows the accounts.
CREATE TABLE lean_account (LIKE account INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE lean_transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payer_id bigint NOT NULL,
    payee_id bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    reference uuid NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (payer_id <> payee_id)
);
CREATE TABLE lean_entry (
    transfer_id bigint NOT NULL,
    leg smallint NOT NULL,
    account_id bigint NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (transfer_id, leg)
);
CREATE INDEX lean_entry_by_account ON lean_entry (account_id, transfer_id);

CREATE FUNCTION post_batch(p_payers bigint [], p_payees bigint [], p_amounts bigint [], p_references uuid []) RETURNS integer
LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    v_posted integer;
    v_is_short boolean;
BEGIN
    PERFORM 1 FROM lean_account
    WHERE id = ANY (p_payers || p_payees) ORDER BY id FOR NO KEY UPDATE;
    WITH made AS (
        INSERT INTO lean_transfer (payer_id, payee_id, amount, reference)
        SELECT * FROM unnest(p_payers, p_payees, p_amounts, p_references)
        ON CONFLICT (reference) DO NOTHING
        RETURNING id, payer_id, payee_id, amount
    ), legs AS (
        SELECT id, 0::smallint AS leg, payer_id AS account_id, -amount AS amount FROM made
        UNION ALL
        SELECT id, 1::smallint, payee_id, amount FROM made
    ), running AS (
        SELECT l.*, (a.balance + sum(l.amount) OVER (PARTITION BY l.account_id ORDER BY l.id))::bigint AS balance_after
        FROM legs AS l INNER JOIN lean_account AS a ON a.id = l.account_id
    ), moved AS (
        UPDATE lean_account AS a SET balance = a.balance + s.total, version = a.version + s.legs
        FROM (SELECT account_id, sum(amount)::bigint AS total, count(*) AS legs FROM legs GROUP BY account_id) AS s
        WHERE a.id = s.account_id
    ), written AS (
        INSERT INTO lean_entry (transfer_id, leg, account_id, amount, balance_after)
        SELECT id, leg, account_id, amount, balance_after FROM running
    )
    SELECT count(*) / 2, coalesce(bool_or(balance_after < 0), false) INTO v_posted, v_is_short FROM running;
    IF v_is_short THEN RAISE EXCEPTION 'insufficient funds'; END IF;
    RETURN v_posted;
END;
$$;
