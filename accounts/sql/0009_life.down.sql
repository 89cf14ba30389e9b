DROP TRIGGER keep_faith ON accounts_account;
DROP TRIGGER keep_faith ON accounts_freeze;
DROP FUNCTION account_keep_faith();
DROP FUNCTION freeze_keep_faith();
DROP FUNCTION approval_used_for(text, text);
