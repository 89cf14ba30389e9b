"""What may become of what two people signed."""

from typing import Final

SIGNATURES: Final[dict[str, tuple[str, set[str]]]] = {
    "a freeze is lifted by one alone": (
        "UPDATE accounts_freeze SET state = 'lifted', lifted_at = now() WHERE mode = 'amount'",
        {"L6", "L8", "L11"},
    ),
    "a freeze is called confirmed": (
        "UPDATE accounts_freeze SET confirmed_at = now()",
        {"L8", "L11"},
    ),
    "a limit is raised alone": (
        "UPDATE transactions_limit SET amount_max_minor = amount_max_minor + 1",
        {"L8", "L11"},
    ),
    "a decision is the maker's own": (
        "UPDATE accounts_decision SET checker_party = maker_party",
        {"L8", "L11"},
    ),
    "an approval is approved by nobody": (
        "UPDATE accounts_approval SET state = 'approved', decided_at = now() WHERE state = 'open'",
        {"L8", "L11"},
    ),
    "a payout left on an open request": (
        "UPDATE transactions_transfer SET state = 'accepted' WHERE state = 'awaiting_approval'",
        {"L8", "L11"},
    ),
    "a fee rule charges more than was signed": (
        "UPDATE transactions_feerule SET flat_minor = flat_minor + 1 WHERE state = 'in_force'",
        {"L6", "L8", "L11"},
    ),
    "a journal by hand has no signature": (
        (
            "UPDATE transactions_journal SET subject_ref = 'journalproposal:none'"
            " WHERE purpose = 'manual'"
        ),
        {"L11"},
    ),
    "a batch of staff rests on nobody's word": (
        "UPDATE transactions_transferbatch SET approval_id = NULL",
        {"L8", "L11"},
    ),
    "a file says other than what was signed": (
        "UPDATE transactions_batchfile SET rows_sha256 = 'other'",
        {"L11"},
    ),
    "a payee is paid elsewhere": (
        "UPDATE transactions_registeredpayee SET iban_id = name_id",
        {"L8", "L11"},
    ),
}
