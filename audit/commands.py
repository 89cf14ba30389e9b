"""What makes a function a command: permission, one transaction, one witness, one key."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

from django.db import transaction

from audit.actors import Actor
from audit.calls import Call, send
from audit.circumstances import current, under
from audit.errors import NotPermitted, Refusal, RefusalKind, UnwitnessedCommand
from audit.services.recording import Witness, entries_call, flush, refusal_entry, witnessing

P = ParamSpec("P")
R = TypeVar("R")

COMMANDS: Final[dict[str, Callable[..., object]]] = {}
STICKY: Final = frozenset({RefusalKind.CONFLICT, RefusalKind.MISMATCH})


class Once(Protocol):
    """An idempotency key, as a command sees it: calls that travel with the command's own."""

    @property
    def claim(self) -> Call:
        """Return the call that locks the key and tells what it was used for."""
        ...

    def is_answered(self, found: Any) -> bool:
        """Say, from what `claim` returned, whether the act was done before; keep its answer.

        Refuses when the key is in flight elsewhere or belongs to another request.
        """
        ...

    def keep(self, result: object) -> Call:
        """Return the call that stores the answer rendered from `result` under the key."""
        ...

    def keep_refusal(self, refusal: Refusal) -> Call:
        """Return the call that stores a lasting refusal under the key."""
        ...


class Batch(list[Any]):
    """What a command returns that acted on many items: one entry each is owed."""


class AlreadyDone(Exception):
    """The key was used before: the stored answer is the answer. Caught by the front desk."""


def lasts(refusal: Refusal) -> bool:
    """Say whether the same request would be refused next time, so that its key is used up."""
    return refusal.kind in STICKY and not refusal.transient


def command(func: Callable[P, R]) -> Callable[P, R]:
    """Turn `settle_transfer` in `transactions` into command `transactions.settle_transfer`.

    The name is the permission the actor must hold. The body runs in one
    durable transaction (so commands cannot nest) and records exactly one
    entry, or one an item when it returns a `Batch`. With `once=` the key, the
    effect, the entry and the answer commit together.

    A Refusal rolls the body back as if it had never run, and is then written
    down in a transaction of its own, with its key where it lasts. Should
    somebody else have used the key in between, theirs is the answer.
    """
    name = f"{func.__module__.partition('.')[0]}.{func.__name__}"
    COMMANDS[name] = func

    @wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        actor = cast("Actor", kwargs["actor"])
        once = cast("Once | None", kwargs.pop("once", None))
        with under():
            result = (
                _act(name, actor=actor, once=once, body=lambda: func(*args, **kwargs))
                if actor.may(name)
                else NotPermitted(permission=name)
            )
            if isinstance(result, Refusal):
                _write_down(result, name=name, actor=actor, once=once)
                raise result
        return cast("R", result)

    return run


def _act(name: str, *, actor: Actor, once: Once | None, body: Callable[[], object]) -> object:
    """Run the body and write what it owes; return its result, or the refusal that undid it."""
    with transaction.atomic(durable=True):
        _open(actor, once=once)
        try:
            with witnessing(name, actor=actor) as witness:
                result = body()
                _check(witness, result=result)
                kept = [once.keep(result)] if once is not None else []
                flush(*kept)
        except Refusal as refusal:
            transaction.set_rollback(True)
            return refusal
    return result


def _write_down(refusal: Refusal, *, name: str, actor: Actor, once: Once | None) -> None:
    """Keep a refusal: in the log always, under the key if it would be the same next time."""
    key = once if lasts(refusal) else None
    with transaction.atomic(durable=True):
        _open(actor, once=key)
        kept = [key.keep_refusal(refusal)] if key is not None else []
        send(entries_call([refusal_entry(name, actor=actor, refusal=refusal)]), *kept)


def _open(actor: Actor, *, once: Once | None) -> None:
    """Tell this transaction who acts, for versions and row-level rules, and claim the key."""
    here = current()
    introduction = Call(
        sql="set_config('app.actor', %s, true), set_config('app.trace', %s, true),"
        " set_config('app.reason', %s, true), set_config('app.book', %s, true)",
        values=(actor.ref, here.trace_id, here.reason, str(actor.book_id or "")),
    )
    if once is None:
        send(introduction)
    elif once.is_answered(send(introduction, once.claim)[-1]):
        raise AlreadyDone


def _check(witness: Witness, *, result: object) -> None:
    """Insist on one entry, or on one an item of a batch."""
    owed = len(result) if isinstance(result, Batch) else 1
    if witness.told != owed:
        said = [entry.action for entry in witness.entries]
        raise UnwitnessedCommand(f"{witness.command} owes {owed} entries and wrote {said}")
