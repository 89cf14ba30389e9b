"""Leaving letters for partners, and ringing the bell when they are there."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from audit.canonical import Json
from audit.circumstances import current
from audit.history import plain
from audit.typeids import uuid7


def publish(
    type: str,  # noqa: A002 - the public word for it
    *,
    book_id: UUID,
    payload: Mapping[str, Json],
    occurred_at: datetime,
) -> None:
    """Leave a letter, in the caller's transaction: no commit, no letter."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mailbox_leave(%s, %s, %s, %s::jsonb, %s, %s)",
            [uuid7(), book_id, type, json.dumps(plain(payload)), current().trace_id, occurred_at],
        )
