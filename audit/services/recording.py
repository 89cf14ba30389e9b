"""Writing entries. The rest of the house reaches this through `record`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from django.db.models import Model

from audit.actors import Actor
from audit.calls import Call, send, spell
from audit.canonical import Json, canonical_of_plain
from audit.circumstances import current
from audit.errors import Fault, Refusal
from audit.history import difference, plain, table_of

NOTHING: Final = Call(sql="NULL")


class Auditable(Protocol):
    """Anything with a stable reference, e.g. `transfer:<uuid>`."""

    @property
    def audit_ref(self) -> str:
        """Return the reference to write down."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry about to be written: its action, its body as canonical text, and its book."""

    action: str
    body: str
    book_id: UUID | None


@dataclass(slots=True)
class Witness:
    """What one command owes: its entries, and calls that wait to travel with them."""

    command: str
    actor: Actor
    entries: list[Told] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    written: int = 0

    @property
    def told(self) -> int:
        """Return how many entries there are, written or about to be."""
        return self.written + len(self.entries)


_witness: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessing(command: str, *, actor: Actor) -> Iterator[Witness]:
    """Collect every `record` and `later` made inside the block."""
    witness = Witness(command=command, actor=actor)
    token = _witness.set(witness)
    try:
        yield witness
    finally:
        _witness.reset(token)


def later(call: Call) -> None:
    """Let `call` travel with the command's entries, for what the command needs no answer of.

    Its broken rules end the command as refusals raised in the body would.
    """
    _under_way("a call").calls.append(call)


def flush(*more: Call) -> None:
    """Send what the command under way has gathered, and `more`, in one statement.

    A command ends with it. One that writes more than a statement may carry
    calls it between its parts, too; they commit together all the same.
    """
    witness = _under_way("a flush")
    send(*witness.calls, entries_call(witness.entries), *more)
    witness.written = witness.told
    witness.entries.clear()
    witness.calls.clear()


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
    witness = _under_way(action)
    touches = [_touch(row) for row in rows] + [_removal(row) for row in removed]
    witness.entries.append(
        _told(
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


def record_refusal(
    action: str,
    *,
    actor: Actor,
    ref: str,
    refusal: Refusal,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write down that one of many got a no, about `ref`, beside what the others got."""
    witness = _under_way(action)
    witness.entries.append(
        _told(
            action,
            command=witness.command,
            outcome="refused",
            actor=actor,
            target_ref=ref,
            facts={"code": refusal.code, "said": refusal.facts(), **(facts or {})},
            touches=[],
            book_id=actor.book_id,
        )
    )


def refusal_entry(command: str, *, actor: Actor, refusal: Refusal) -> Told:
    """Return the entry that says `actor` was told no."""
    return _told(
        command,
        command=command,
        outcome="refused",
        actor=actor,
        target_ref=str(getattr(refusal, "ref", "")),
        facts={"code": refusal.code, "said": refusal.facts()},
        touches=[],
        book_id=actor.book_id,
    )


def entries_call(entries: Sequence[Told]) -> Call:
    """Return the call that writes `entries`: the database reads their columns off their bodies."""
    if not entries:
        return NOTHING
    told = [{"body": each.body, "book": each.book_id} for each in entries]
    return Call(sql="audit_record(%s::jsonb)", values=(spell(told),))


def _under_way(what: str) -> Witness:
    """Return the witness of the command that runs; a Fault where none does."""
    witness = _witness.get()
    if witness is None:
        raise Fault(f"{what} was recorded outside a command")
    return witness


def _told(
    action: str,
    *,
    command: str,
    outcome: str,
    actor: Actor,
    target_ref: str,
    facts: Mapping[str, object],
    touches: list[Json],
    book_id: UUID | None,
) -> Told:
    here = current()
    body: dict[str, Json] = {
        "action": action,
        "command": command,
        "outcome": outcome,
        "actor": {"ref": actor.ref, "label": actor.label, "credential": actor.credential},
        "target": target_ref,
        "facts": plain(facts),
        "touches": touches,
        "trace": here.trace_id,
        "request": here.request_id,
        "address": here.address,
        "user_agent": here.user_agent,
        "reason": here.reason,
    }
    return Told(action=action, body=canonical_of_plain(body), book_id=book_id)


def _touch(row: Model) -> Json:
    before, after = difference(row)
    return {"table": table_of(row), "row": str(row.pk), "before": before, "after": after}


def _removal(row: Model) -> Json:
    before, now = difference(row)
    whole = {**now, **(before or {})}
    return {"table": table_of(row), "row": str(row.pk), "before": whole, "after": None}
