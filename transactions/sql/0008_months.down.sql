DROP FUNCTION ledger_close_month(date);
