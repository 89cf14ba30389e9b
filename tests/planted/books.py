"""What may become of the books: postings, journals, balances, and what is derived of them."""

from typing import Final


def _archived(is_away: str, told: str) -> str:
    """Write a month's row, with its version and without an entry; `told` from its digest on."""
    return (
        "WITH one AS (INSERT INTO transactions_archivedmonth VALUES (uuidv7(), '2020-01-01',"
        f" {is_away}, audit_uuid_floor('2020-02-01Z'), now(), now(), 1, 2, 0, {told}) RETURNING *)"
        " INSERT INTO transactions_historicalarchivedmonth (id, month, is_away, before,"
        " occurred_until, recorded_until, journals, postings, accounts, digest, moved_at,"
        " rows_digest, history_id, history_date, history_type)"
        " SELECT *, uuidv7(), clock_timestamp(), '+' FROM one"
    )


BOOKS: Final[dict[str, tuple[str, set[str]]]] = {
    "a posting's amount is changed": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor - 1"
            " WHERE account_id = '{giver}' AND amount_minor < 0"
        ),
        {"L1", "L2", "L3", "L5", "L6"},
    ),
    "a posting is removed": (
        "DELETE FROM transactions_posting WHERE account_id = '{taker}'",
        {"L1", "L2", "L3", "L5"},
    ),
    "a whole journal is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal"
            " WHERE subject_ref = 'transfer:{internal}' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5"},
    ),
    "two postings are bent so that all sums hold": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 2 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE subject_ref = 'transfer:{internal}')"
        ),
        {"L3", "L6"},
    ),
    "a posting's currency is another": (
        "UPDATE transactions_posting SET currency = 'USD' WHERE account_id = '{taker}'",
        {"L1", "L2"},
    ),
    "a posting says another balance after it": (
        (
            "UPDATE transactions_posting SET balance_after_minor = balance_after_minor + 1"
            " WHERE account_id = '{taker}'"
        ),
        {"L3"},
    ),
    "a posting says no balance after it": (
        "UPDATE transactions_posting SET balance_after_minor = NULL WHERE account_id = '{taker}'",
        {"L3"},
    ),
    "the order of an account's postings is turned": (
        (
            "UPDATE transactions_posting SET account_version = 1000 - account_version"
            " WHERE account_id = '{giver}'"
        ),
        {"L3"},
    ),
    "a posting is moved into another book": (
        "UPDATE transactions_posting SET book_id = '{other_book}' WHERE account_id = '{taker}'",
        {"L1", "L2"},
    ),
    "a balance is raised": (
        (
            "UPDATE transactions_balance SET posted_minor = posted_minor + 500"
            " WHERE account_id = '{giver}'"
        ),
        {"L3"},
    ),
    "a balance is below its floor": (
        (
            "UPDATE transactions_balance SET floor_minor = posted_minor + 1"
            " WHERE account_id = '{giver}'"
        ),
        {"L4", "L6"},
    ),
    "an origin has two transfers": (
        "UPDATE transactions_transfer SET origin = 'key:same'",
        {"L5", "L8"},
    ),
    "a journal's origin is another": (
        (
            "UPDATE transactions_journal SET origin = 'key:other'"
            " WHERE subject_ref = 'transfer:{internal}'"
        ),
        {"L5"},
    ),
    "an origin has no journal": (
        "INSERT INTO transactions_journalorigin (origin, journal_id) VALUES ('x', uuidv7())",
        {"L5"},
    ),
    "a transfer is called settled": (
        (
            "UPDATE transactions_transfer SET state = 'settled', settled_at = now()"
            " WHERE id = '{dispatched}'"
        ),
        {"L5", "L6", "L8"},
    ),
    "money left one book and arrived in no other": (
        (
            "UPDATE transactions_ledgeraccount SET code = 'clearing:nowhere'"
            " WHERE code = 'interbook:house'"
        ),
        {"L2", "L8"},
    ),
    "of what one partner's book owes another's, a part is gone": (
        (
            "WITH bent AS (UPDATE transactions_posting SET amount_minor = amount_minor - 1"
            " WHERE account_id = '{landed}' RETURNING journal_id)"
            " UPDATE transactions_posting AS p SET amount_minor = p.amount_minor + 1 FROM bent"
            " WHERE p.journal_id = bent.journal_id AND p.account_id <> '{landed}'"
        ),
        {"L2", "L3", "L6"},
    ),
    "a roll-up tells of money that never moved": (
        (
            "INSERT INTO transactions_movement (account_id, clock, grain, begins_at, amount_minor,"
            " postings, first_id, last_id, is_cut) VALUES ('{giver}', 'recorded', 0,"
            " date_trunc('month', now()), 5, 1, uuidv7(), uuidv7(), true)"
        ),
        {"L3"},
    ),
    "a closed month's balances are not those that were closed": (
        (
            "INSERT INTO transactions_closedmonth (month, closed_at, accounts, digest)"
            " VALUES ('2020-01-01', now(), 0, 'none')"
        ),
        {"L3"},
    ),
    "a month is said to be here that is not": (
        _archived("false", "'none', now(), ''"),
        {"L3", "L8"},
    ),
    "a row of a month that is away is another": (
        _archived("true", "ledger_digest_of('2020-01-01'), now(), 'none'"),
        {"L3", "L8"},
    ),
}
