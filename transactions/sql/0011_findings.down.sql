DROP TRIGGER versioned ON transactions_finding;
DROP TRIGGER witnessed ON transactions_finding;
