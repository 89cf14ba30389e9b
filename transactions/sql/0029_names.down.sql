DROP TRIGGER keep_name ON transactions_ledgeraccount;
DROP TRIGGER keep_row ON accounts_account;
DROP TRIGGER keep_name ON accounts_account;
DROP TRIGGER keep_row ON accounts_partner;
DROP TRIGGER keep_name ON accounts_partner;
DROP FUNCTION name_keep_faith();
