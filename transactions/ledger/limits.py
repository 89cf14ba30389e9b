"""The limits' counters, moved by the database's own functions in the transaction that spends."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from audit.calls import Call
from transactions.limits import Use


def counting(uses: Iterable[Use]) -> Call:
    """Return the call that counts what was used of limits; it checks again that none is passed."""
    amounts: Counter[Use] = Counter()
    times: Counter[Use] = Counter()
    for use in uses:
        counter = replace(use, amount_minor=0)
        amounts[counter] += use.amount_minor
        times[counter] += 1
    spelled = [
        {
            "subject": str(use.account_id or use.book_id),
            "book": str(use.book_id),
            "currency": use.currency,
            "kind": use.kind,
            "day": use.day.isoformat(),
            "slice": use.slice,
            "amount": amounts[use],
            "times": times[use],
        }
        for use in times
    ]
    return Call(sql="limits_use(%s::jsonb)", values=(json.dumps(spelled),))


def recounting(limit_id: UUID) -> Call:
    """Return the call that counts the subject of a changed limit anew, after who is spending."""
    return Call(sql="limits_recount(%s)", values=(limit_id,))
