"""What must always be true of the inbox. SQL only; `IntegrationsConfig.ready` registers it."""

from typing import Final

INBOX: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L9",
        "a callback that was worked off says what it did, or why it did nothing",
        """
        SELECT format('callback %s is %s and says "%s"', id, state, detail)
        FROM integrations_callback
        WHERE state <> 'received' AND detail = ''
            OR state IN ('processed', 'ignored') AND processed_at IS NULL
        """,
    ),
    (
        "L9",
        "a callback that says it booked money did",
        """
        SELECT format('callback %s says "%s" and no journal is there', c.id, c.detail)
        FROM integrations_callback AS c
        WHERE c.state = 'processed' AND c.detail ~ '(^|, )booked ' AND NOT EXISTS (
            SELECT FROM transactions_journal AS j WHERE j.trace_id = c.trace_id
        )
        """,
    ),
)
