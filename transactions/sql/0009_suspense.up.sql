-- Money in suspense is given away once, under a signature, and never more of it than there is.
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_suspenseallocation
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CALL audit_witness('transactions_suspenseallocation');
CALL audit_witness('transactions_suspensetally');
GRANT SELECT ON transactions_suspenseallocation, transactions_suspensetally TO cs_definer;

-- A tally is its posting's amount, on a suspense account, and what of it was allocated in the books: less than
-- what the world has taken back of the same payment. Checked when everything is written.
CREATE FUNCTION suspense_keep_tally() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_tally public.transactions_suspensetally;
    v_item public.transactions_posting;
    v_booked bigint;
    v_taken_back bigint;
BEGIN
    SELECT * INTO v_tally FROM public.transactions_suspensetally WHERE id = new.id;
    SELECT p.* INTO v_item FROM public.transactions_posting AS p
    INNER JOIN public.transactions_ledgeraccount AS a ON a.id = p.account_id
    WHERE p.id = new.id AND a.code = 'suspense';
    SELECT coalesce(sum(s.amount_minor), 0) INTO v_booked
    FROM public.transactions_suspenseallocation AS s
    INNER JOIN public.transactions_journalorigin AS o ON o.origin = 'allocation:' || s.id
    WHERE s.posting_id = new.id;
    SELECT coalesce(sum(p.amount_minor), 0) INTO v_taken_back
    FROM public.transactions_journal AS mine
    INNER JOIN public.transactions_journal AS j ON j.subject_ref = mine.subject_ref AND j.purpose <> 'allocation'
    INNER JOIN public.transactions_posting AS p ON p.journal_id = j.id
    WHERE mine.id = v_item.journal_id AND p.account_id = v_item.account_id AND p.amount_minor < 0;
    IF v_item.amount_minor IS DISTINCT FROM v_tally.amount_minor OR v_tally.allocated_minor <> v_booked
        OR v_booked > v_item.amount_minor + v_taken_back
    THEN
        PERFORM public.ledger_refuse('suspense_tally_true', new.id);
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION suspense_keep_tally() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER suspense_tally_true AFTER INSERT OR UPDATE OR DELETE ON transactions_suspensetally
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION suspense_keep_tally();

-- A journal that allocates is in the books only with a used approval for it, with the amount, the item and the
-- account that were signed, counted in the item's tally, and with its twin where it crosses books.
CREATE FUNCTION allocation_require_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_allocation public.transactions_suspenseallocation;
    v_item public.transactions_posting;
    v_far public.transactions_ledgeraccount;
    v_origin text;
    v_leaves uuid;
    v_arrives uuid;
BEGIN
    SELECT s.* INTO v_allocation FROM public.transactions_suspenseallocation AS s
    INNER JOIN public.accounts_approval AS a ON a.id = s.approval_id
    WHERE new.subject_ref = 'suspenseallocation:' || s.id AND a.subject_ref = new.subject_ref AND a.state = 'used'
        AND a.action = 'transactions.allocate_suspense' AND a.payload ->> 'item' = s.posting_id::text
        AND a.payload ->> 'account_key' = s.account_id::text
        AND (a.payload ->> 'amount_minor')::bigint = s.amount_minor;
    SELECT * INTO v_item FROM public.transactions_posting WHERE id = v_allocation.posting_id;
    SELECT * INTO v_far FROM public.transactions_ledgeraccount WHERE id = v_allocation.account_id;
    v_origin := 'allocation:' || v_allocation.id;
    -- What must leave and arrive by its own account; the other side of a crossing is inter-book clearing.
    v_leaves := CASE new.origin WHEN v_origin THEN v_item.account_id END;
    v_arrives := CASE WHEN v_far.book_id = new.book_id THEN v_far.id END;
    IF v_allocation.id IS NULL OR v_item.id IS NULL
        OR new.origin NOT IN (v_origin, v_origin || ':in')
        OR new.book_id <> (CASE new.origin WHEN v_origin THEN v_item.book_id ELSE v_far.book_id END)
        OR NOT EXISTS (SELECT 1 FROM public.transactions_journalorigin WHERE origin = v_origin)
        OR EXISTS (SELECT 1 FROM public.transactions_journalorigin WHERE origin = v_origin || ':in')
            = (v_item.book_id = v_far.book_id)
        OR NOT EXISTS (SELECT 1 FROM public.transactions_suspensetally WHERE id = v_item.id)
        OR EXISTS (
            SELECT 1 FROM public.transactions_posting AS p
            INNER JOIN public.transactions_ledgeraccount AS a ON a.id = p.account_id
            WHERE p.journal_id = new.id AND (
                abs(p.amount_minor) <> v_allocation.amount_minor
                OR coalesce(
                    p.account_id <> CASE WHEN p.amount_minor < 0 THEN v_leaves ELSE v_arrives END,
                    a.code NOT LIKE 'interbook:%'))
        )
        OR (SELECT count(*) FROM public.transactions_posting WHERE journal_id = new.id) <> 2
    THEN
        PERFORM public.ledger_refuse('allocation_signed', new.id);
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION allocation_require_signature() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER allocation_signed AFTER INSERT ON transactions_journal
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.purpose = 'allocation')
EXECUTE FUNCTION allocation_require_signature();
