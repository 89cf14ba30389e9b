"""The inbox: storing what arrived, leasing it to one worker, marking what became of it.

Bookkeeping, not commands: nobody named acts here. The effects are commands of their own.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.crypto.boxes import close_box
from audit.actors import Actor
from audit.calls import spell
from audit.circumstances import current
from audit.commands import command
from audit.services.recording import record
from integrations.endings import Ending
from integrations.errors import NotQuarantined
from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.selectors.callbacks import access_callback
from integrations.states import CallbackState

BATCH: Final = 100
# How long news may gather before a worker looks for it: many together cost little more than one.
GATHER_SECONDS: Final = 0.05
LEASE_SECONDS: Final = 30

# The first sight of an event is stored; a second copy is counted; other content under the
# same event id is kept beside it for a person to look at.
STORE = """
    INSERT INTO integrations_callback
        (id, provider, endpoint, event_id, event_type, body, body_sha256, state, detail, attempts,
         deliveries, trace_id)
    VALUES (uuidv7(), %(provider)s, %(endpoint)s, %(event_id)s, %(event_type)s, %(body)s, %(sha)s,
            %(state)s, %(detail)s, 0, 1, %(trace)s)
    ON CONFLICT ON CONSTRAINT callback_once
    DO UPDATE SET deliveries = integrations_callback.deliveries + 1
    RETURNING body_sha256
"""
LEASE = """
    UPDATE integrations_callback
    SET due_at = now() + make_interval(secs => %s)
    WHERE id IN (
        SELECT id FROM integrations_callback
        WHERE state = 'received' AND due_at <= now()
        ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""
# A try has no word of its own until it ends: see `Callback.is_suspect`.
BEGIN = """
    UPDATE integrations_callback SET attempts = attempts + 1, detail = ''
    WHERE id = ANY(%s::uuid[]) AND due_at = %s AND state = 'received'
    RETURNING id
"""
MARK = """
    UPDATE integrations_callback AS c
    SET state = e.state, detail = e.detail, trace_id = e.trace_id,
        due_at = coalesce(e.due_at, c.due_at),
        processed_at = CASE WHEN e.state <> 'received' THEN now() END
    FROM jsonb_to_recordset(%s::jsonb) AS e (
        id uuid, leased_until timestamptz, state text, detail text, trace_id text,
        due_at timestamptz
    )
    WHERE c.id = e.id AND c.due_at = e.leased_until AND c.state = 'received'
"""


def receive(provider: str, *, endpoint: str, event: Genuine, body: bytes) -> None:
    """Store one genuine callback; a copy of a stored one is only counted."""
    digest = sha256(body).hexdigest()
    kept = _store(provider, endpoint=endpoint, event=event, body=body, digest=digest)
    if kept != digest:
        _store(
            provider,
            endpoint=endpoint,
            event=Genuine(event_id=f"{event.event_id}#{digest[:12]}", event_type=event.event_type),
            body=body,
            digest=digest,
            conflict=f"{event.event_id} came before with another body",
        )


def lease_batch() -> list[Callback]:
    """Take the next due callbacks for this worker alone; the lease ends by itself."""
    return sorted(Callback.objects.raw(LEASE, [LEASE_SECONDS, BATCH]), key=lambda each: each.pk)


def begin(callbacks: Sequence[Callback]) -> list[Callback]:
    """Count a try of callbacks of one lease; return those that are still under it and open."""
    ids = [each.pk for each in callbacks]
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [ids, callbacks[0].due_at])
        held = {key for (key,) in cursor.fetchall()}
    begun = [each for each in callbacks if each.pk in held]
    for callback in begun:
        callback.attempts += 1
    return begun


def mark(endings: Sequence[Ending]) -> None:
    """Write down what became of callbacks, but for those another worker did while we were slow."""
    spelled = [
        {
            "id": each.callback.pk,
            "leased_until": each.callback.due_at,
            "state": each.state,
            "detail": each.detail,
            "trace_id": each.trace_id,
            "due_at": each.due_at,
        }
        for each in endings
    ]
    with connection.cursor() as cursor:
        cursor.execute(MARK, [spell(spelled)])


@command
def replay_callback(*, actor: Actor, callback_id: UUID, reason: str) -> Callback:
    """Put a quarantined callback back in line, for a written reason. NotQuarantined otherwise."""
    callback = access_callback(callback_id, actor=actor, lock=True)
    if callback.state != CallbackState.QUARANTINED:
        raise NotQuarantined(ref=callback.audit_ref)
    callback.state, callback.attempts, callback.due_at = CallbackState.RECEIVED, 0, timezone.now()
    callback.save(update_fields=["state", "attempts", "due_at"])
    record(
        "callback.replayed",
        actor=actor,
        target=callback,
        facts={"reason": reason, "was": callback.detail},
    )
    return callback


def _store(
    provider: str,
    *,
    endpoint: str,
    event: Genuine,
    body: bytes,
    digest: str,
    conflict: str = "",
) -> str:
    """Insert the callback, or count it; return the digest of the body that is kept."""
    values: dict[str, str | bytes] = {
        "provider": provider,
        "endpoint": endpoint,
        "event_id": event.event_id,
        "event_type": event.event_type[:100],
        "body": close_box(body, public_key=settings.INBOX_PUBLIC_KEY),
        "sha": digest,
        "state": CallbackState.QUARANTINED if conflict else CallbackState.RECEIVED,
        "detail": conflict,
        "trace": current().trace_id,
    }
    try:
        return _insert(values)
    except OperationalError:
        if connection.is_usable():
            raise
        connection.close()  # it was cut since the last callback; a new one may stand
        return _insert(values)


def _insert(values: Mapping[str, str | bytes]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(STORE, values)
        return str(cursor.fetchone()[0])
