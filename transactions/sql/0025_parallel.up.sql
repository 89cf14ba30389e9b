-- They read, and change nothing. One function that does not say so keeps a whole query on one core.
ALTER FUNCTION ledger_archived() PARALLEL SAFE;
ALTER FUNCTION ledger_brought_forward() PARALLEL SAFE;
ALTER FUNCTION ledger_horizon() PARALLEL SAFE;
ALTER FUNCTION ledger_transfers_away() PARALLEL SAFE;
