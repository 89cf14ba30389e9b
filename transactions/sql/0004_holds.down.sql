DROP TRIGGER keep_faith ON transactions_hold;
DROP FUNCTION hold_keep_faith();
