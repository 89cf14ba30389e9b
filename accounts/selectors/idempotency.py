"""Reading idempotency keys."""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    ExpressionWrapper,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
)
from django.db.models.functions import Cast, Right

from accounts.models import ApiClient, IdempotencyKey, Partner
from accounts.models.idempotency import RESOURCE_ID_CHARACTERS
from accounts.scopes import visible_books
from audit.actors import Actor

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


def keys_for_pages(*, to: Actor) -> QuerySet[IdempotencyKey]:
    """Return the keys that `to` may see, named by client and partner, without their answers."""
    account = Func("scope", Value(":"), Value(2), function="split_part", output_field=CharField())
    client = ApiClient.objects.filter(pk=Cast(OuterRef("account_text"), UUIDField()))
    partner = Partner.objects.filter(book_id=OuterRef("book_id"))
    is_kept = ExpressionWrapper(Q(answer__isnull=False), output_field=BooleanField())
    return (
        visible_books(IdempotencyKey.objects.defer("answer", "fingerprint"), to=to)
        .annotate(account_text=account, is_answer_kept=is_kept)
        .annotate(
            client_name=Subquery(client.values("name")[:1]),
            partner_name=Subquery(partner.values("name")[:1]),
        )
    )


def keys_found(
    rows: QuerySet[IdempotencyKey], *, text: str, key_hash: bytes | None
) -> QuerySet[IdempotencyKey]:
    """Narrow `rows` to those of a key, where `key_hash` is one's, or that made what `text` names.

    Each is asked by its index.
    """
    made = IdempotencyKey.objects.annotate(end=Right("resource", RESOURCE_ID_CHARACTERS))
    found = made.filter(end=text.rpartition("/")[2]).values("pk")
    if key_hash is not None:
        used = IdempotencyKey.objects.filter(key_hash=key_hash).values("pk")
        found = found.union(used, all=True)
    return rows.filter(pk__in=found)
