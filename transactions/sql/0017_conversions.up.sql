-- Money is changed into another currency only as a second person signed it, through the book's FX accounts.
CREATE TRIGGER keep_faith BEFORE UPDATE OR DELETE ON transactions_conversion
FOR EACH ROW EXECUTE FUNCTION proposal_keep_faith();
CALL audit_witness('transactions_conversion');
GRANT SELECT ON transactions_conversion TO cs_definer;

-- A conversion's journal rests on a used approval of that very conversion, and its postings are its amounts and the
-- opposite ones on the book's FX account of each currency: not one more, less or other.
CREATE FUNCTION conversion_require_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF new.origin <> new.subject_ref OR NOT EXISTS (
        SELECT 1 FROM public.transactions_conversion AS c
        INNER JOIN public.accounts_approval AS a ON a.id = c.approval_id
        INNER JOIN public.transactions_ledgeraccount AS s ON s.id = c.source_id
        INNER JOIN public.transactions_ledgeraccount AS d ON d.id = c.destination_id
        WHERE 'conversion:' || c.id = new.subject_ref AND c.book_id = new.book_id AND a.subject_ref = new.subject_ref
            AND a.state = 'used' AND a.action = 'transactions.post_conversion' AND NOT EXISTS (
                SELECT 1 FROM (
                    SELECT p.account_id, p.amount_minor, 1 AS side
                    FROM public.transactions_posting AS p WHERE p.journal_id = new.id
                    UNION ALL
                    SELECT l.id, l.amount, -1 FROM (VALUES
                        (s.id, -c.sold_minor), (d.id, c.bought_minor),
                        ((SELECT f.id FROM public.transactions_ledgeraccount AS f
                            WHERE f.book_id = c.book_id AND f.code = 'fx' AND f.currency = s.currency), c.sold_minor),
                        ((SELECT f.id FROM public.transactions_ledgeraccount AS f
                            WHERE f.book_id = c.book_id AND f.code = 'fx' AND f.currency = d.currency), -c.bought_minor)
                    ) AS l (id, amount)
                ) AS lines
                GROUP BY account_id, amount_minor HAVING sum(side) <> 0
            )
    ) THEN
        PERFORM public.ledger_refuse('conversion_signed', new.id);
    END IF;
    RETURN NULL;
END;
$$;
ALTER FUNCTION conversion_require_signature() OWNER TO cs_definer;
CREATE CONSTRAINT TRIGGER conversion_signed AFTER INSERT ON transactions_journal
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.purpose = 'conversion')
EXECUTE FUNCTION conversion_require_signature();
