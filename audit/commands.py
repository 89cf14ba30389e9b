"""What makes a function a command: permission, one transaction, one witness, one key."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

from django.db import connection, transaction

from audit.actors import Actor
from audit.circumstances import current, under
from audit.errors import NotPermitted, Refusal, RefusalKind, UnwitnessedCommand
from audit.services.recording import Witness, refusal_entry, witnessing, write

P = ParamSpec("P")
R = TypeVar("R")

COMMANDS: Final[dict[str, Callable[..., object]]] = {}
STICKY: Final = frozenset({RefusalKind.CONFLICT, RefusalKind.MISMATCH})


class Once(Protocol):
    """An idempotency key, as a command sees it. All three run inside its transaction."""

    def take(self) -> bool:
        """Lock the key; True where the act was done before and its answer is now at hand.

        Refuses when the key is in flight elsewhere or belongs to another request.
        """
        ...

    def keep(self, result: object) -> None:
        """Store the answer rendered from `result` under the key."""
        ...

    def keep_refusal(self, refusal: Refusal) -> None:
        """Store a lasting refusal under the key."""
        ...


class Batch(list[Any]):
    """What a command returns that acted on many items: one entry each is owed."""


class AlreadyDone(Exception):
    """The key was used before: the stored answer is the answer. Caught by the front desk."""


def command(func: Callable[P, R]) -> Callable[P, R]:
    """Turn `settle_transfer` in `transactions` into command `transactions.settle_transfer`.

    The name is the permission the actor must hold. The body runs in one
    durable transaction (so commands cannot nest) and records exactly one
    entry, or one an item when it returns a `Batch`. A Refusal undoes the body
    and is then itself written down. With `once=` the key, the effect, the
    entry and the answer commit together.
    """
    name = f"{func.__module__.partition('.')[0]}.{func.__name__}"
    COMMANDS[name] = func

    @wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        actor = cast("Actor", kwargs["actor"])
        once = cast("Once | None", kwargs.pop("once", None))
        with under(), transaction.atomic(durable=True):
            _introduce(actor)
            if not actor.may(name):
                result: object = NotPermitted(permission=name)
            elif once is not None and once.take():
                raise AlreadyDone
            else:
                result = _attempt(name, func, actor=actor, arguments=(args, kwargs))
            if isinstance(result, Refusal):
                write([refusal_entry(name, actor=actor, refusal=result)])
            if once is not None:
                _store(once, result=result)
        if isinstance(result, Refusal):
            raise result
        return cast("R", result)

    return run


def _attempt(
    name: str,
    func: Callable[..., object],
    *,
    actor: Actor,
    arguments: tuple[tuple[Any, ...], dict[str, Any]],
) -> object:
    """Run the body in a savepoint; return its result, or the refusal that undid it."""
    args, kwargs = arguments
    try:
        with transaction.atomic(), witnessing(name, actor=actor) as witness:
            result = func(*args, **kwargs)
            _check(witness, result=result)
            write(witness.entries)
            return result
    except Refusal as refusal:
        return refusal


def _check(witness: Witness, *, result: object) -> None:
    """Insist on one entry, or on one an item of a batch."""
    owed = len(result) if isinstance(result, Batch) else 1
    if len(witness.entries) != owed:
        said = [entry["action"] for entry in witness.entries]
        raise UnwitnessedCommand(f"{witness.command} owes {owed} entries and wrote {said}")


def _store(once: Once, *, result: object) -> None:
    """Keep the answer; of refusals only those that would be the same next time."""
    if not isinstance(result, Refusal):
        once.keep(result)
    elif result.kind in STICKY and not result.transient:
        once.keep_refusal(result)


def _introduce(actor: Actor) -> None:
    """Tell this transaction who acts, for the version trigger and row-level rules."""
    here = current()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.actor', %s, true), set_config('app.trace', %s, true),"
            " set_config('app.reason', %s, true), set_config('app.book', %s, true)",
            [actor.ref, here.trace_id, here.reason, str(actor.book_id or "")],
        )
