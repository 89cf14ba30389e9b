DROP FUNCTION idempotency_keep_many(jsonb);
REVOKE INSERT ON accounts_idempotencykey FROM cs_definer;
