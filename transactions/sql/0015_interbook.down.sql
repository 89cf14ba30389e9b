DROP FUNCTION ledger_pass(jsonb, jsonb);
DROP FUNCTION ledger_payable(uuid, text, text);
DROP TRIGGER keep_faith ON transactions_payinconsent;
DROP FUNCTION consent_keep_faith();
DROP TRIGGER keep_alias ON transactions_transfer;
DROP FUNCTION transfer_keep_order();
