DROP TRIGGER keep_faith ON accounts_approval;
DROP FUNCTION approval_keep_faith();
DROP FUNCTION mailbox_leave(uuid, uuid, text, jsonb, text, timestamptz);
ALTER TABLE accounts_decision DROP CONSTRAINT decision_copies_maker;
