"""What @command promises: permission, one transaction, one witness, one key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.db import connection, transaction

from audit.actors import Actor
from audit.calls import Call
from audit.canonical import decode
from audit.circumstances import under
from audit.commands import COMMANDS, AlreadyDone, Batch, command
from audit.errors import Fault, NotFound, NotPermitted, Refusal, UnwitnessedCommand
from audit.models import Entry, Touch
from audit.services.recording import record
from tests import factories
from tests.books import assert_books_hold
from tests.factories import committed
from transactions.errors import InsufficientFunds, TooEarly
from transactions.models import Transfer

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
Act = Callable[..., Any]


@pytest.fixture
def transfer() -> Transfer:
    """A transfer that is flagged by nobody."""
    return factories.internal(factories.cast())


@pytest.fixture
def make() -> Iterator[Callable[[Act], Act]]:
    """Turn a function into a command that is forgotten after the test."""
    before = set(COMMANDS)
    yield command
    for name in set(COMMANDS) - before:
        del COMMANDS[name]


ACTOR = replace(factories.colleague(), grants=frozenset({"tests.flag", "tests.outer"}))


def mark(transfer: Transfer, *, actor: Actor) -> None:
    """Flag it and say so: what a good command does."""
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])
    record("transfer.flagged", actor=actor, target=transfer, rows=[transfer])


def is_flagged(transfer: Transfer) -> bool:
    """Say how the transfer stands in the database."""
    return Transfer.objects.get(pk=transfer.pk).is_flagged


def entries_since(transfer: Transfer) -> list[Entry]:
    """Return every entry of the commands below since the transfer was asked for, in order."""
    asked = Entry.objects.get(target_ref=transfer.audit_ref, action="transfer.requested")
    since = Entry.objects.filter(command__startswith="tests.", pk__gt=asked.pk)
    return list(since.order_by("pk"))


def said(transfer: Transfer) -> list[tuple[str, str, str]]:
    """Return (action, outcome, code) of each of them."""
    return [(each.action, each.outcome, each.code) for each in entries_since(transfer)]


def test_a_command_changes_and_says_so(transfer: Transfer, make: Callable[[Act], Act]) -> None:
    @make
    def flag(*, actor: Actor) -> str:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)
        return "flagged"

    assert flag(actor=ACTOR) == "flagged"
    assert is_flagged(transfer)
    assert said(transfer) == [("transfer.flagged", "done", "")]
    assert_books_hold()


def test_its_name_is_the_permission(transfer: Transfer, make: Callable[[Act], Act]) -> None:
    ran: list[bool] = []

    @make
    def flag(*, actor: Actor) -> None:
        ran.append(True)

    with pytest.raises(NotPermitted) as refused:
        flag(actor=replace(ACTOR, grants=frozenset({"tests.outer"})))
    assert refused.value.permission == "tests.flag"
    assert not ran
    assert said(transfer) == [("tests.flag", "refused", "not_permitted")]


def test_a_refusal_undoes_the_body_and_is_written_down(
    transfer: Transfer, make: Callable[[Act], Act]
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)
        raise NotFound(ref="transfer:elsewhere")

    with pytest.raises(NotFound):
        flag(actor=ACTOR)
    assert not is_flagged(transfer)
    assert said(transfer) == [("tests.flag", "refused", "not_found")]
    (told,) = entries_since(transfer)
    assert (told.target_ref, told.actor_ref) == ("transfer:elsewhere", ACTOR.ref)
    assert not Touch.objects.filter(entry_id=told.pk).exists()
    assert_books_hold()


@pytest.mark.parametrize("error", [RuntimeError("bug"), Fault("bug")])
def test_a_fault_leaves_nothing_at_all(
    transfer: Transfer, make: Callable[[Act], Act], error: Exception
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)
        raise error

    with pytest.raises(type(error)):
        flag(actor=ACTOR)
    assert not is_flagged(transfer)
    assert said(transfer) == []


@pytest.mark.parametrize("times", [0, 2])
def test_a_command_owes_exactly_one_entry(
    transfer: Transfer, make: Callable[[Act], Act], times: int
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        for _ in range(times):
            mark(Transfer.objects.get(pk=transfer.pk), actor=actor)

    with pytest.raises(UnwitnessedCommand):
        flag(actor=ACTOR)
    assert not is_flagged(transfer)
    assert said(transfer) == []


@pytest.mark.parametrize(("items", "entries"), [(0, 0), (2, 2), (2, 1), (1, 2)])
def test_a_batch_owes_one_entry_an_item(
    transfer: Transfer, make: Callable[[Act], Act], items: int, entries: int
) -> None:
    @make
    def flag(*, actor: Actor) -> Batch:
        for _ in range(entries):
            record("transfer.seen", actor=actor, target=transfer)
        return Batch(range(items))

    if items == entries:
        assert flag(actor=ACTOR) == list(range(items))
    else:
        with pytest.raises(UnwitnessedCommand):
            flag(actor=ACTOR)
    assert len(said(transfer)) == (entries if items == entries else 0)


def test_changing_a_row_and_naming_another_does_not_commit(
    transfer: Transfer, make: Callable[[Act], Act]
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        row = Transfer.objects.get(pk=transfer.pk)
        row.is_flagged = True
        row.save(update_fields=["is_flagged"])
        record("transfer.flagged", actor=actor, target=row)

    with pytest.raises(Exception, match="has no audit entry"):
        flag(actor=ACTOR)
    assert not is_flagged(transfer)
    assert said(transfer) == []


def test_nothing_is_recorded_outside_a_command(transfer: Transfer) -> None:
    with pytest.raises(Fault):
        record("transfer.flagged", actor=ACTOR, target=transfer)


def test_commands_do_not_nest(make: Callable[[Act], Act]) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        """Do nothing."""

    @make
    def outer(*, actor: Actor) -> None:
        flag(actor=actor)

    with pytest.raises(RuntimeError, match="durable"):
        outer(actor=ACTOR)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        flag(actor=ACTOR)


def test_an_entry_tells_who_what_where_and_why(
    transfer: Transfer, make: Callable[[Act], Act]
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)

    with under(
        trace_id="a" * 32, address="192.0.2.7", user_agent="x" * 500, request_id="r1", reason="due"
    ):
        flag(actor=ACTOR)
    (told,) = entries_since(transfer)
    body: dict[str, Any] = decode(bytes(told.body))
    assert body["actor"] == {
        "ref": ACTOR.ref,
        "label": ACTOR.label,
        "credential": ACTOR.credential,
    }
    assert (body["address"], body["request"], body["reason"]) == ("192.0.2.7", "r1", "due")
    assert len(body["user_agent"]) == 200
    assert (told.trace_id, body["trace"]) == ("a" * 32, "a" * 32)
    assert told.book_id == transfer.book_id
    (touch,) = body["touches"]
    assert (touch["before"], touch["after"]) == ({"is_flagged": False}, {"is_flagged": True})
    stored = Touch.objects.get(entry_id=told.pk)
    assert (stored.before, stored.after) == (touch["before"], touch["after"])


# -- keys -------------------------------------------------------------------------------------


@dataclass
class Key:
    """A key as the front desk passes one; it remembers what was asked of it."""

    is_known: bool = False
    kept: list[object] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    is_open: bool = False

    @property
    def claim(self) -> Call:
        """Look the key up with a call that tells whether it was asked inside a transaction."""
        self.is_open = connection.in_atomic_block
        return Call(sql="%s::boolean", values=(self.is_known,))

    def is_answered(self, found: bool) -> bool:  # noqa: FBT001 - what the call returned
        """Believe the call."""
        return found

    def keep(self, result: object) -> Call:
        """Keep the result, in the same transaction."""
        assert connection.in_atomic_block
        self.kept.append(result)
        return Call(sql="NULL")

    def keep_refusal(self, refusal: Refusal) -> Call:
        """Keep a refusal, in the same transaction as its entry."""
        assert connection.in_atomic_block
        self.refusals.append(refusal.code)
        return Call(sql="NULL")


def test_a_known_key_does_nothing_again(transfer: Transfer, make: Callable[[Act], Act]) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)

    key = Key(is_known=True)
    with pytest.raises(AlreadyDone):
        flag(actor=ACTOR, once=key)
    assert (key.kept, key.is_open) == ([], True)
    assert said(transfer) == []


def test_permission_comes_before_the_key(make: Callable[[Act], Act]) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        """Do nothing."""

    key = Key(is_known=True)
    with pytest.raises(NotPermitted):
        flag(actor=replace(ACTOR, grants=frozenset()), once=key)
    assert not key.is_open


def test_the_answer_is_kept_with_the_effect(
    transfer: Transfer, make: Callable[[Act], Act]
) -> None:
    @make
    def flag(*, actor: Actor) -> int:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)
        return 7

    key = Key()
    assert flag(actor=ACTOR, once=key) == 7
    assert key.kept == [7]


def test_an_answer_that_cannot_be_kept_undoes_the_effect(
    transfer: Transfer, make: Callable[[Act], Act]
) -> None:
    class Broken(Key):
        def keep(self, result: object) -> Call:
            raise RuntimeError(f"no room for {result}")

    @make
    def flag(*, actor: Actor) -> None:
        mark(Transfer.objects.get(pk=transfer.pk), actor=actor)

    with pytest.raises(RuntimeError, match="no room"):
        flag(actor=ACTOR, once=Broken())
    assert not is_flagged(transfer)
    assert said(transfer) == []


@pytest.mark.parametrize(
    ("refusal", "kept"),
    [
        (InsufficientFunds(account="acc_1"), ["insufficient_funds"]),
        (TooEarly(ref="transfer:1"), []),
        (NotFound(ref="transfer:1"), []),
    ],
)
def test_only_a_lasting_business_refusal_sticks_to_its_key(
    make: Callable[[Act], Act], refusal: Refusal, kept: list[str]
) -> None:
    @make
    def flag(*, actor: Actor) -> None:
        raise refusal

    key = Key()
    with pytest.raises(type(refusal)):
        flag(actor=ACTOR, once=key)
    assert (key.refusals, key.kept) == (kept, [])
