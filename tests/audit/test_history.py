"""Every version of every guarded row is kept, with who and why, whatever wrote it."""

from collections.abc import Callable
from dataclasses import replace
from types import NoneType
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, connection, transaction
from django.db.models import BinaryField, FloatField
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import User
from audit.circumstances import under
from audit.history import Witnessed, difference, plain, spelled
from audit.models import Touch
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold
from tests.factories import committed
from transactions.models import Transfer
from transactions.services.transfers import flag_transfer
from transactions.states import TransferKind, TransferState

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def transfer() -> Transfer:
    """A settled payout: it has been through five states."""
    return factories.payout(factories.cast(), state=TransferState.RETURNED)


def states_of(transfer: Transfer) -> list[tuple[str, str]]:
    """Return (type, state) of every version in order."""
    kept = Transfer.history.filter(id=transfer.pk).order_by("history_date")
    return list(kept.values_list("history_type", "state"))


def test_every_state_a_payout_was_in_is_kept(transfer: Transfer) -> None:
    assert states_of(transfer) == [
        ("+", "accepted"),
        ("~", "dispatched"),
        ("~", "settled"),
        ("~", "returned"),
    ]


def test_a_version_says_who_why_and_in_which_trace(transfer: Transfer) -> None:
    officer = factories.colleague()
    with under(trace_id="b" * 32, reason="because"):
        flag_transfer(actor=officer, transfer_id=transfer.pk, reason="odd")
    last = Transfer.history.filter(id=transfer.pk).latest("history_date")
    assert last.is_flagged
    assert (last.history_actor, last.history_trace_id) == (officer.ref, "b" * 32)
    assert last.history_change_reason == "because"


def _by_queryset(transfer: Transfer) -> None:
    Transfer.objects.filter(pk=transfer.pk).update(reference="new")


def _in_bulk(transfer: Transfer) -> None:
    transfer.reference = "new"
    Transfer.objects.bulk_update([transfer], ["reference"])


def _by_hand(transfer: Transfer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_transfer SET reference = 'new' WHERE id = %s", [transfer.pk]
        )


@pytest.mark.parametrize("change", [_by_queryset, _in_bulk, _by_hand])
def test_no_way_of_writing_escapes(transfer: Transfer, change: Callable[[Transfer], None]) -> None:
    with transaction.atomic():
        change(transfer)
        kept = Transfer.history.filter(id=transfer.pk).latest("history_date")
        assert kept.reference == "new"
        transaction.set_rollback(True)
    assert len(states_of(transfer)) == 4


def test_a_write_that_changes_nothing_is_no_version(transfer: Transfer) -> None:
    with transaction.atomic():
        Transfer.objects.filter(pk=transfer.pk).update(reference=transfer.reference)
        assert len(states_of(transfer)) == 4
        transaction.set_rollback(True)


def test_as_of_shows_how_it_stood_then(transfer: Transfer) -> None:
    before = timezone.now()
    flag_transfer(actor=factories.colleague(), transfer_id=transfer.pk, reason="odd")
    then: Any = Transfer.history.as_of(before).get(id=transfer.pk)
    now: Any = Transfer.history.as_of(timezone.now()).get(id=transfer.pk)
    assert (then.is_flagged, now.is_flagged) == (False, True)


def test_versions_are_not_forged_by_a_runtime_login(transfer: Transfer) -> None:
    with pytest.raises(Error) as refused, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO transactions_historicaltransfer"
            " SELECT * FROM transactions_historicaltransfer WHERE id = %s",
            [transfer.pk],
        )
    assert "permission denied" in str(refused.value)


def test_signing_in_is_no_version_of_a_login_and_losing_it_is() -> None:
    officer = factories.officer()
    User.objects.filter(pk=officer.id).update(last_login=timezone.now())
    assert User.history.filter(id=officer.id).count() == 1
    with pytest.raises(Error, match="has no audit entry"):
        User.objects.filter(pk=officer.id).update(is_active=False)
    assert_books_hold()


def test_no_password_reaches_entries_or_versions() -> None:
    officer = factories.officer()
    touch = Touch.objects.get(table_name="accounts_user", row_id=officer.id)
    assert touch.after is not None
    assert "email" in touch.after
    assert "password" not in touch.after
    columns = {field.name for field in User.history.model._meta.get_fields()}
    assert not {"password", "last_login"} & columns


def test_difference_names_only_what_changed(transfer: Transfer) -> None:
    row = Transfer.objects.get(pk=transfer.pk)
    assert difference(row) == ({}, {})
    row.is_flagged = True
    assert difference(row) == ({"is_flagged": False}, {"is_flagged": True})
    before, after = difference(Transfer(amount_minor=5, currency="EUR"))
    assert before is None
    assert (after["amount_minor"], after["currency"]) == (5, "EUR")


def test_a_row_is_told_as_its_values_are_one_by_one() -> None:
    told = {"odd": 1.5, "raw": b"\x01", "at": timezone.now(), "many": [uuid7()]}
    row = Transfer(
        kind=TransferKind.PAYOUT,
        amount_minor=2**63 - 1,
        currency=SafeString("EUR"),
        requested_at=timezone.now(),
        metadata=told,
    )
    fields = spelled(row)
    assert fields == {name: plain(getattr(row, name)) for name in fields}
    assert fields["metadata"] == plain(told)
    assert {type(value) for value in fields.values()} <= {NoneType, bool, int, str, dict}


def test_no_row_speaks_of_bytes() -> None:
    """They would be spelled in another base than `plain` spells them in."""
    rows = [model for model in apps.get_models() if issubclass(model, Witnessed)]
    assert len(rows) > 20
    for row in rows:
        fields = [f for f in row._meta.concrete_fields if f.attname not in row.unspoken]
        assert not any(isinstance(field, BinaryField | FloatField) for field in fields)


def test_a_refused_command_keeps_no_version(transfer: Transfer) -> None:
    nobody = replace(factories.colleague(), grants=frozenset())
    with pytest.raises(Exception, match="not_permitted"):
        flag_transfer(actor=nobody, transfer_id=transfer.pk, reason="odd")
    assert len(states_of(transfer)) == 4


def test_a_fresh_row_is_the_row_that_django_would_have_made() -> None:
    values = {"kind": "internal", "amount_minor": 7, "currency": "EUR", "source_id": uuid7()}
    values["requested_at"] = timezone.now()
    fresh, usual = Transfer.fresh(**values), Transfer(**values)
    before, after = difference(fresh)
    assert before is None
    assert {**after, "id": None} == {**(difference(usual)[1]), "id": None}
    assert fresh._state.adding
    assert fresh.id.version == usual.id.version
    with pytest.raises(TypeError, match="has no"):
        Transfer.fresh(amount=7)
