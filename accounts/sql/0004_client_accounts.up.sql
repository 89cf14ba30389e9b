-- A client beside another is of the same partner as its account's first: keys are shared inside one partner only.
ALTER TABLE accounts_apiclient ADD CONSTRAINT client_account_of_partner
FOREIGN KEY (account_id, partner_id) REFERENCES accounts_apiclient (id, partner_id);
