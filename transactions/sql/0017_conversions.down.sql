DROP TRIGGER conversion_signed ON transactions_journal;
DROP FUNCTION conversion_require_signature();
DROP TRIGGER keep_faith ON transactions_conversion;
