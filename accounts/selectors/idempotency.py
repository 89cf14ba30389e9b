"""Reading and locking idempotency keys."""

from collections.abc import Sequence

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


def try_lock(lock_id: int) -> bool:
    """Take the lock until this transaction ends, or return False at once. A crash frees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_id])
        return bool(cursor.fetchone()[0])


def is_locked(lock_id: int) -> bool:
    """Say whether somebody holds the lock, without taking it."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, {"lock": lock_id})
        return bool(cursor.fetchone()[0])


def kept_key(scope: str, *, key_hash: bytes) -> IdempotencyKey | None:
    """Return what was kept under a key in one scope."""
    return IdempotencyKey.objects.filter(scope=scope, key_hash=key_hash).first()


def uses_of_key(key_hash: bytes, *, client_scope: str) -> Sequence[IdempotencyKey]:
    """Return every use that one client made of a key, whichever the route."""
    return list(
        IdempotencyKey.objects.filter(key_hash=key_hash, scope__startswith=client_scope)
        .defer("answer", "fingerprint")
        .order_by("id")
    )
