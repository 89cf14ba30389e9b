"""Keeping idempotency keys that were used inside a command, many in one call."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.errors import KeyInFlight
from audit.calls import Call, spell
from audit.typeids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedKey:
    """A key, the request it was used for, and the path of what came of it; empty for a no."""

    key_hash: bytes
    fingerprint: bytes
    resource: str


def keeping(used: Iterable[UsedKey], *, scope: str, book_id: UUID) -> Call:
    """Return the call that keeps `used` for good; KeyInFlight where one was used meanwhile."""
    rows = [
        {
            "id": uuid7(),
            "book": book_id,
            "scope": scope,
            "key": each.key_hash.hex(),
            "fingerprint": each.fingerprint.hex(),
            "resource": each.resource,
        }
        for each in used
    ]
    return Call(
        sql="idempotency_keep_many(%s::jsonb)",
        values=(spell(rows),),
        rules={"idempotency_key_once": KeyInFlight()},
    )
