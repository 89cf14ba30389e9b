DROP TRIGGER keep_name ON transactions_ledgeraccount;
DROP TRIGGER keep_row ON accounts_account;
DROP TRIGGER keep_name ON accounts_account;
DROP TRIGGER keep_row ON accounts_partner;
DROP TRIGGER keep_name ON accounts_partner;
ALTER TABLE accounts_partner DROP CONSTRAINT partner_name_plain;
DROP FUNCTION name_keep_faith();
