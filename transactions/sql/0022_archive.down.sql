-- Fails where a month is away: it must be taken in first, or its lines would be lost to the books.
DROP SCHEMA archive;
DROP FUNCTION ledger_attach(date);
DROP FUNCTION ledger_detach(date);
DROP FUNCTION ledger_stand_still(date);
DROP FUNCTION ledger_make_ready(date);
DROP FUNCTION ledger_roll_month(date, integer);
DROP FUNCTION ledger_require_snapshot_true(date);
DROP FUNCTION ledger_require_closed_true(date);
DROP FUNCTION ledger_require_next(date);
DROP FUNCTION ledger_digest_of(date);
DROP FUNCTION ledger_sum_up(date);
DROP FUNCTION ledger_lines_of(date);
DROP FUNCTION ledger_month_floor(date);
DROP FUNCTION ledger_partition(text, date);
DROP FUNCTION ledger_brought_forward();
DROP FUNCTION ledger_transfers_away();
DROP FUNCTION ledger_archived();
