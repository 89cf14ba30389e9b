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
        WITH acts AS MATERIALIZED (
            SELECT substring(
                convert_from(body, 'UTF8') FROM '"credential":"callback:([0-9a-f-]{36})"'
            ) AS callback_id
            FROM audit_entry WHERE action = 'movement.booked'
        )
        SELECT format('callback %s says "%s" and booked nothing', c.id, c.detail)
        FROM integrations_callback AS c
        WHERE c.state = 'processed' AND c.detail ~ '(^|, )booked ' AND NOT EXISTS (
            SELECT FROM acts AS a WHERE a.callback_id = c.id::text
        )
        """,
    ),
)
