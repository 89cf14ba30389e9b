DROP TRIGGER allocation_signed ON transactions_journal;
DROP FUNCTION allocation_require_signature();
DROP TRIGGER suspense_tally_true ON transactions_suspensetally;
DROP FUNCTION suspense_keep_tally();
REVOKE SELECT ON transactions_suspenseallocation, transactions_suspensetally FROM cs_definer;
DROP TRIGGER witnessed ON transactions_suspensetally;
DROP TRIGGER witnessed ON transactions_suspenseallocation;
DROP TRIGGER keep_faith ON transactions_suspenseallocation;
