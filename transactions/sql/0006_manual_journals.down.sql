DROP TRIGGER journal_signed ON transactions_journal;
DROP FUNCTION journal_require_signature();
DROP TRIGGER witnessed ON transactions_proposedline;
DROP TRIGGER witnessed ON transactions_journalproposal;
DROP TRIGGER keep_faith ON transactions_proposedline;
DROP TRIGGER keep_faith ON transactions_journalproposal;
DROP FUNCTION proposal_keep_faith();
