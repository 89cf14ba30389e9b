"""Reading idempotency keys."""

from collections.abc import Collection, Sequence

from django.db import connection

from accounts.models import IdempotencyKey

LOOK_UP = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = ((%(lock)s::bigint >> 32) & 4294967295)::oid
        AND objid = (%(lock)s::bigint & 4294967295)::oid
)
"""


def is_locked(lock_id: int) -> bool:
    """Say whether somebody holds the lock, without taking it."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, {"lock": lock_id})
        return bool(cursor.fetchone()[0])


def kept_key(scope: str, *, key_hash: bytes) -> IdempotencyKey:
    """Return what was kept under a key that was used in this scope."""
    return IdempotencyKey.objects.get(scope=scope, key_hash=key_hash)


def kept_keys(scope: str, *, key_hashes: Collection[bytes]) -> dict[bytes, IdempotencyKey]:
    """Return those of these keys that were used in this scope, by their hashes; no answers."""
    kept = IdempotencyKey.objects.filter(scope=scope, key_hash__in=key_hashes).defer("answer")
    return {bytes(each.key_hash): each for each in kept}


def uses_of_key(key_hash: bytes, *, client_scope: str) -> Sequence[IdempotencyKey]:
    """Return every use that one client made of a key, whichever the route."""
    return list(
        IdempotencyKey.objects.filter(key_hash=key_hash, scope__startswith=client_scope)
        .defer("answer", "fingerprint")
        .order_by("id")
    )
