"""The limits' counters, moved by the database's own functions in the transaction that spends."""

from collections.abc import Iterable
from uuid import UUID

from audit.calls import Call, spell
from transactions.limits import Tally, Use


def counting(uses: Iterable[Use]) -> Call:
    """Return the call that counts what was used of limits; it checks again that none is passed."""
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
    return Call(sql="limits_use(%s::jsonb)", values=(spell(spelled),))


def recounting(limit_id: UUID) -> Call:
    """Return the call that counts the subject of a changed limit anew, after who is spending."""
    return Call(sql="limits_recount(%s)", values=(limit_id,))
