"""The limits' counters, moved by the database's own functions in the transaction that spends."""

import json
import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import Error

from audit.calls import Call, spell
from transactions.errors import LimitExceeded
from transactions.limits import Tally, Use, decided_again

log = logging.getLogger(__name__)


def counting(uses: Sequence[Use]) -> Call:
    """Return the call that counts what was used of limits; it checks again that none is passed.

    One that is means LimitExceeded, as it would have been decided on its reading.
    """
    amounts: dict[Tally, list[int]] = {}
    for use in uses:
        amounts.setdefault(use.tally, []).append(use.amount_minor)
    spelled = [
        {
            "subject": tally.account_id or tally.book_id,
            "book": tally.book_id,
            "currency": tally.currency,
            "kind": tally.kind,
            "day": tally.day,
            "slice": tally.slice,
            "amount": sum(counted),
            "times": len(counted),
        }
        for tally, counted in amounts.items()
    ]

    def kept(error: Error) -> LimitExceeded:
        told = json.loads(error.__cause__.diag.message_detail)  # type: ignore[union-attr]
        log.error("limit_kept: decided on an old reading of limit %s", told["id"])
        return decided_again(told, uses=uses)

    return Call(sql="limits_use(%s::jsonb)", values=(spell(spelled),), rules={"limit_kept": kept})


def recounting(limit_id: UUID) -> Call:
    """Return the call that counts the subject of a changed limit anew, after who is spending."""
    return Call(sql="limits_recount(%s)", values=(limit_id,))
