-- What is found wrong with the books is on record like everything else, and so is that it is well again.
CALL audit_guard('transactions_finding', 'transactions_historicalfinding');
