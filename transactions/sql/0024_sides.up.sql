-- The accounts of a transfer are looked up where it is stored, not when its transaction commits: they are there before
-- it, and here the look-up goes by the key however small the table is. At the commit, of a thousand transfers at once,
-- it read all of a small table for each: a sixth of the server's time.
ALTER TABLE transactions_transfer ALTER CONSTRAINT transactions_transfe_source_id_4face5a3_fk_transacti NOT DEFERRABLE;
ALTER TABLE transactions_transfer ALTER CONSTRAINT transactions_transfe_destination_id_78a1382e_fk_transacti NOT DEFERRABLE;
ALTER FUNCTION transfers_store(jsonb) SET enable_seqscan = off;
