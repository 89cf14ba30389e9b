DROP FUNCTION transfers_advance(jsonb);
DROP FUNCTION holds_end(jsonb);
