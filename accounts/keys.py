"""Idempotency keys as the house knows them: hashes, the scopes they are good in, what they cause.

Pure. A key itself is never kept.
"""

from hashlib import sha256

from audit.actors import Actor


def client_scope(actor: Actor) -> str:
    """Return what the scopes of all keys of this actor's client begin with."""
    return f"{actor.tenant}:{actor.id}:"


def route_scope(actor: Actor, *, method: str, path: str) -> str:
    """Return the scope of a client's keys on one route; variable parts of `path` are `{id}`."""
    return f"{client_scope(actor)}{method} {path}"


def hash_of(key: str) -> bytes:
    """Return the one thing of a key that is kept."""
    return sha256(key.encode("ascii")).digest()


def origin_of(scope: str, *, key_hash: bytes) -> str:
    """Return a key as the one cause of whatever is made under it."""
    cause = scope.encode() + b"\n" + key_hash
    return f"key:{sha256(cause).hexdigest()}"
