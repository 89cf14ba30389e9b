DROP TRIGGER keep_faith ON transactions_payeechange;
DROP TRIGGER keep_faith ON transactions_registeredpayee;
DROP FUNCTION payee_keep_faith();
REVOKE SELECT ON transactions_payeechange, accounts_partner, accounts_vaultrecord FROM cs_definer;
