"""Writing entries. The rest of the house reaches this through `record`."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from django.db import connection
from django.db.models import Model

from audit.actors import Actor
from audit.canonical import Json, encode
from audit.circumstances import current
from audit.errors import Fault, Refusal
from audit.history import difference, plain, table_of


class Auditable(Protocol):
    """Anything with a stable reference, e.g. `transfer:<uuid>`."""

    @property
    def audit_ref(self) -> str:
        """Return the reference to write down."""
        ...


@dataclass(slots=True)
class Witness:
    """The entries of one command, kept until it ends and then written in one statement."""

    command: str
    actor: Actor
    entries: list[dict[str, Json]] = field(default_factory=list)


_witness: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessing(command: str, *, actor: Actor) -> Iterator[Witness]:
    """Collect every `record` made inside the block."""
    witness = Witness(command=command, actor=actor)
    token = _witness.set(witness)
    try:
        yield witness
    finally:
        _witness.reset(token)


def record(
    action: str,
    *,
    actor: Actor,
    target: Auditable,
    facts: Mapping[str, object] | None = None,
    rows: Iterable[Model] = (),
    removed: Iterable[Model] = (),
    book_id: UUID | None = None,
) -> None:
    """Write down that `actor` did `action` to `target`, changing `rows` and removing `removed`.

    The entry is written when the command ends, in its transaction. A Fault
    outside a command: nothing may be witnessed that no command did.
    """
    witness = _witness.get()
    if witness is None:
        raise Fault(f"{action} was recorded outside a command")
    touches = [_touch(row) for row in rows] + [_removal(row) for row in removed]
    witness.entries.append(
        _entry(
            action,
            command=witness.command,
            outcome="done",
            actor=actor,
            target_ref=target.audit_ref,
            facts=facts or {},
            touches=touches,
            book_id=book_id or actor.book_id or getattr(target, "book_id", None),
        )
    )


def refusal_entry(command: str, *, actor: Actor, refusal: Refusal) -> dict[str, Json]:
    """Return the entry that says `actor` was told no."""
    return _entry(
        command,
        command=command,
        outcome="refused",
        code=refusal.code,
        actor=actor,
        target_ref=str(getattr(refusal, "ref", "")),
        facts={"code": refusal.code, "said": refusal.facts()},
        touches=[],
        book_id=actor.book_id,
    )


def write(entries: list[dict[str, Json]]) -> None:
    """Hand `entries` to the database, which alone sets their ids, clocks and transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_record(%s::jsonb)", [json.dumps(entries)])


def _entry(
    action: str,
    *,
    command: str,
    outcome: str,
    actor: Actor,
    target_ref: str,
    facts: Mapping[str, object],
    touches: list[Json],
    book_id: UUID | None,
    code: str = "",
) -> dict[str, Json]:
    here = current()
    body: dict[str, Json] = {
        "action": action,
        "command": command,
        "outcome": outcome,
        "actor": {"ref": actor.ref, "label": actor.label, "credential": actor.credential},
        "target": target_ref,
        "facts": plain(dict(facts)),
        "touches": touches,
        "trace": here.trace_id,
        "request": here.request_id,
        "address": here.address,
        "user_agent": here.user_agent,
        "reason": here.reason,
    }
    return {
        "action": action,
        "command": command,
        "outcome": outcome,
        "code": code,
        "actor_kind": actor.kind.value,
        "actor_ref": actor.ref,
        "actor_label": actor.label,
        "target_ref": target_ref,
        "book_id": str(book_id) if book_id else None,
        "trace_id": here.trace_id,
        "touches": touches,
        "body": b64encode(encode(body)).decode(),
    }


def _touch(row: Model) -> Json:
    before, after = difference(row)
    return {"table": table_of(row), "row": str(row.pk), "before": before, "after": after}


def _removal(row: Model) -> Json:
    before, now = difference(row)
    whole = {**now, **(before or {})}
    return {"table": table_of(row), "row": str(row.pk), "before": whole, "after": None}
