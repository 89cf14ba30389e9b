"""What may become of the witness, and of rows behind its back."""

from typing import Final

WITNESS: Final[dict[str, tuple[str, set[str]]]] = {
    "a row is changed past the trigger": (
        "UPDATE transactions_transfer SET reference = 'forged' WHERE id = '{internal}'",
        {"L8"},
    ),
    "a row is set back to what it was": (
        (
            "UPDATE transactions_transfer AS t SET state = v.state, claimed_at = v.claimed_at,"
            " ask_at = v.ask_at FROM transactions_historicaltransfer AS v"
            " WHERE v.id = t.id AND t.id = '{dispatched}' AND v.state = 'accepted'"
        ),
        {"L8"},
    ),
    "a hold is removed": (
        "DELETE FROM transactions_hold WHERE transfer_id = '{dispatched}'",
        {"L3", "L6", "L8"},
    ),
    "a grant is taken away unseen": (
        "DELETE FROM accounts_portfoliouserperm",
        {"L8"},
    ),
    "an act is put in somebody else's name": (
        "UPDATE audit_entry SET actor_ref = 'staff:x' WHERE target_ref = 'transfer:{dispatched}'",
        {"L8"},
    ),
    "a touch is of another transaction": (
        "UPDATE audit_touch SET xact = 1 WHERE row_id = '{dispatched}'",
        {"L8"},
    ),
    "a journal is of a transaction that nobody saw": (
        ("UPDATE transactions_journal SET xact = 1 WHERE subject_ref = 'transfer:{internal}'"),
        {"L8"},
    ),
    "a row is changed together with its version": (
        (
            "WITH forged AS (UPDATE transactions_transfer SET reference = 'forged'"
            " WHERE id = '{internal}' RETURNING *) INSERT INTO transactions_historicaltransfer"
            " SELECT (jsonb_populate_record(NULL::transactions_historicaltransfer,"
            " to_jsonb(forged) || jsonb_build_object('history_id', uuidv7(),"
            " 'history_date', clock_timestamp(), 'history_type', '~', 'history_trace_id', '',"
            " 'history_actor', 'system:worker'))).* FROM forged"
        ),
        {"L8"},
    ),
    "an entry is removed": (
        "DELETE FROM audit_entry WHERE target_ref = 'transfer:{dispatched}'",
        {"L8"},
    ),
    "a touch is removed": (
        "DELETE FROM audit_touch WHERE row_id = '{dispatched}'",
        {"L8"},
    ),
    "a touched row is removed": (
        "DELETE FROM transactions_limit",
        {"L3", "L8"},
    ),
    "a version is removed": (
        (
            "DELETE FROM transactions_historicaltransfer"
            " WHERE id = '{dispatched}' AND state = 'accepted'"
        ),
        {"L8"},
    ),
    "an entry tells of a change that was not made": (
        (
            "INSERT INTO audit_touch (entry_id, table_name, row_id, xact, before, after)"
            " SELECT id, 'transactions_transfer', '{internal}', xact, NULL, '{{\"state\": \"x\"}}'"
            " FROM audit_entry WHERE action = 'partner.onboarded' ORDER BY id DESC LIMIT 1"
        ),
        {"L8"},
    ),
    "a processed callback says nothing": (
        "UPDATE integrations_callback SET state = 'processed', detail = ''",
        {"L9"},
    ),
    "a callback says it booked what is not there": (
        (
            "UPDATE integrations_callback SET state = 'processed', detail = 'booked charge',"
            " processed_at = now()"
        ),
        {"L9"},
    ),
}
