-- New origins are found by the time in their journal's id: a summary of each stretch of the table, and no entry a row.
CREATE INDEX journal_origin_by_age ON transactions_journalorigin USING brin (journal_id);
