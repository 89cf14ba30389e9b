"""What may become of money that waits, goes back, is stopped, charged or counted."""

from typing import Final

STOPS: Final[dict[str, tuple[str, set[str]]]] = {
    "a hold is opened again": (
        "UPDATE transactions_hold SET state = 'open' WHERE transfer_id = '{failed}'",
        {"L6", "L8"},
    ),
    "a hold is smaller than its payout": (
        "UPDATE transactions_hold SET amount_minor = 1 WHERE transfer_id = '{dispatched}'",
        {"L3", "L6", "L8"},
    ),
    "a hold says that more was captured than left": (
        (
            "UPDATE transactions_hold SET captured_minor = captured_minor + 1"
            " WHERE id = '{captured}'"
        ),
        {"L6", "L8"},
    ),
    "a hold gives out more than it had": (
        "UPDATE transactions_hold SET released_minor = amount_minor WHERE id = '{captured}'",
        {"L3", "L6", "L8"},
    ),
    "a hold with money left is called expired": (
        "UPDATE transactions_hold SET state = 'expired' WHERE id = '{captured}'",
        {"L6", "L8"},
    ),
    "a capture is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal"
            " WHERE subject_ref = 'hold:{captured}' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5", "L6"},
    ),
    "a reversal is counted twice": (
        "UPDATE transactions_reversedline SET reversed_minor = reversed_minor * 2",
        {"L5"},
    ),
    "the count of a reversal is removed": (
        "DELETE FROM transactions_reversedline",
        {"L5"},
    ),
    "a transfer forgets that it was reversed": (
        "UPDATE transactions_transfer SET reversed_minor = 0 WHERE id = '{reversed}'",
        {"L5", "L6", "L8"},
    ),
    "a transfer says that more was reversed than went back": (
        "UPDATE transactions_transfer SET reversed_minor = 999 WHERE id = '{reversed}'",
        {"L6", "L8"},
    ),
    "more goes back than came": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 4 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE subject_ref = 'transfer:{reversed}'"
            " AND reverses IS NOT NULL)"
        ),
        {"L3", "L5", "L6"},
    ),
    "reserved money is let go": (
        "UPDATE transactions_balance SET pending_minor = 0 WHERE account_id = '{giver}'",
        {"L6"},
    ),
    "a freeze is forgotten by the ledger": (
        "UPDATE transactions_balance SET frozen = 0 WHERE account_id = '{frozen}'",
        {"L6"},
    ),
    "a freeze in force is forgotten on its account": (
        "UPDATE accounts_account SET freeze_mode = 'none' WHERE id = '{frozen}'",
        {"L6", "L8"},
    ),
    "the ledger holds back less than was ordered": (
        "UPDATE transactions_balance SET held_back_minor = 1 WHERE account_id = '{frozen}'",
        {"L6"},
    ),
    "an account is closed by one alone, with money on it": (
        "UPDATE accounts_account SET closed_at = now() WHERE id = '{giver}'",
        {"L6", "L8", "L11"},
    ),
    "a closed account receives money": (
        (
            "UPDATE transactions_balance SET posted_minor = posted_minor + 500"
            " WHERE account_id = '{closed}'"
        ),
        {"L3", "L6"},
    ),
    "the ledger lets an account sink below its floor": (
        "UPDATE transactions_balance SET floor_minor = -1 WHERE account_id = '{taker}'",
        {"L6"},
    ),
    "a limit's counter is turned back": (
        (
            "UPDATE transactions_limituse SET amount_minor = amount_minor - 1"
            " WHERE subject_id = '{giver}' AND kind = 'internal'"
        ),
        {"L3"},
    ),
    "a partner's counter forgets how often": (
        "UPDATE transactions_limituse SET times = 0 WHERE subject_id = '{book}'",
        {"L3"},
    ),
    "a limit's counter is removed": (
        "DELETE FROM transactions_limituse WHERE subject_id = '{giver}' AND kind = 'payout'",
        {"L3"},
    ),
    "a fee is more than its rule says": (
        "UPDATE transactions_transfer SET fee_minor = fee_minor + 1 WHERE fee_minor > 0",
        {"L6", "L8"},
    ),
    "a fee's journal is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal WHERE purpose = 'fee' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5", "L6"},
    ),
    "a conversion moves more than was signed": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 2 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE purpose = 'conversion')"
            " AND currency = 'EUR'"
        ),
        {"L3", "L6"},
    ),
    "a suspense item forgets what was allocated": (
        "UPDATE transactions_suspensetally SET allocated_minor = 0",
        {"L6"},
    ),
}
