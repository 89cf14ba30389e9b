DROP FUNCTION idempotency_keep_many(jsonb);
