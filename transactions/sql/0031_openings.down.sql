DROP TRIGGER account_opened ON accounts_account;
DROP FUNCTION account_keep_opening();
