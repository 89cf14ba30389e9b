DROP FUNCTION payouts_store(jsonb);
DROP FUNCTION disputes_store(jsonb);
DROP FUNCTION payments_store(jsonb);
