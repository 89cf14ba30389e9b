"""A batch of a bank's callbacks under attack: doubled, one refused, the worker killed in it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Letter
from audit.models import Entry
from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.rounds.callbacks import drain_inbox
from integrations.rounds.dispatching import ask_providers, send_payouts
from integrations.services.inbox import receive
from integrations.states import CallbackState
from tests.books import assert_books_hold
from tests.faults.conftest import KILLED, Doubles, run_in_child
from tests.faults.scene import ask_payout, set_the_scene
from tests.faults.test_inbox_batches import batches_noted, die, make_due, states
from transactions.models import Journal, Transfer
from transactions.services import subjects
from transactions.states import TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]

PAYOUTS = 6
As = Callable[[str], AbstractContextManager[None]]


def paid(outside: Doubles, *, as_role: As) -> list[Transfer]:
    """Let payouts be sent to a bank that pays them, and calls back about each: twice."""
    with as_role("migrator"):
        scene = set_the_scene()
    with as_role("api"):
        asked = [ask_payout(scene, amount_minor=700 + number) for number in range(PAYOUTS)]
    send_payouts()
    payouts = list(Transfer.objects.filter(pk__in=[each.pk for each in asked]).order_by("pk"))
    with as_role("callbacks"):
        for each in payouts:
            for copy in range(2):
                call_back(each, event_id=f"evt_{each.pk.hex}_{copy}")
    assert outside.bank.times_moved(payouts[0].public_id) == 1
    return payouts


def call_back(payout: Transfer, *, event_id: str) -> None:
    """Let the bank say that it has paid."""
    event = {
        "id": event_id,
        "type": "payment.settled",
        "occurred_at": timezone.now().isoformat().replace("+00:00", "Z"),
        "payment_id": payout.provider_ref,
        "reference": payout.public_id,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "reason": None,
    }
    genuine = Genuine(event_id=event_id, event_type="payment.settled")
    receive("testbank", endpoint="main", event=genuine, body=json.dumps(event).encode())


def each_settled_once(payouts: list[Transfer], *, as_role: As) -> None:
    """Look at every payout: one journal, one letter, one entry, and the books hold."""
    assert set(states().values()) == {CallbackState.PROCESSED}
    for each in payouts:
        assert Transfer.objects.get(pk=each.pk).state == TransferState.SETTLED
        assert Journal.objects.filter(subject_ref=each.audit_ref).count() == 1
        told = Letter.objects.filter(type="transfer.settled", payload__id=each.public_id)
        assert told.count() == 1
        done = Entry.objects.filter(action="transfer.settled", target_ref=each.audit_ref)
        assert done.count() == 1
    with as_role("migrator"):
        assert_books_hold()


@contextmanager
def never_settled(payout: Transfer, *, as_role: As) -> Iterator[None]:
    """Let the database refuse to settle one payout."""
    rule = "ALTER TABLE transactions_transfer {} CONSTRAINT poison {}"
    check = f"CHECK (id <> '{payout.pk}' OR state <> 'settled') NOT VALID"
    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(rule.format("ADD", check))
    try:
        yield
    finally:
        with as_role("migrator"), connection.cursor() as cursor:
            cursor.execute(rule.format("DROP", ""))


def test_all_that_a_bank_says_is_one_command_and_its_copies_are_known(
    outside: Doubles, as_role: As
) -> None:
    payouts = paid(outside, as_role=as_role)
    with batches_noted() as sizes:
        drain_inbox()
    assert sizes == [2 * PAYOUTS]
    details = list(Callback.objects.values_list("detail", flat=True))
    assert sorted(details) == ["nothing_changed"] * PAYOUTS + ["transfer settled"] * PAYOUTS
    each_settled_once(payouts, as_role=as_role)


def test_one_word_that_the_database_refuses_stops_no_other(outside: Doubles, as_role: As) -> None:
    payouts = paid(outside, as_role=as_role)
    bad = payouts[PAYOUTS // 2]
    with never_settled(bad, as_role=as_role):
        drain_inbox()
        waiting = Callback.objects.filter(state=CallbackState.RECEIVED)
        assert {each.event_id.split("_")[1] for each in waiting} == {bad.pk.hex}
        assert {each.detail for each in waiting} == {"database"}
        settled = Transfer.objects.filter(state=TransferState.SETTLED)
        assert set(settled) == set(payouts) - {bad}
    make_due()
    drain_inbox()
    each_settled_once(payouts, as_role=as_role)


@pytest.mark.parametrize("where", ["deciding", "acted"])
def test_killed_in_the_middle_of_a_batch_each_payout_is_settled_once(
    where: str, outside: Doubles, as_role: As
) -> None:
    payouts = paid(outside, as_role=as_role)
    failpoint = "callback.act.after" if where == "acted" else ""
    with nullcontext() if failpoint else patch.object(subjects, "posting", die):
        assert run_in_child(drain_inbox, failpoint=failpoint) == KILLED
    make_due()
    with batches_noted() as sizes:
        drain_inbox()
    assert sizes == [1] * (2 * PAYOUTS), "what may have killed a worker goes by itself"
    each_settled_once(payouts, as_role=as_role)


def test_what_no_callback_told_is_asked_for_and_taken_once(outside: Doubles, as_role: As) -> None:
    payouts = paid(outside, as_role=as_role)
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(hours=1)):
        ask_providers()
    assert set(Transfer.objects.values_list("state", flat=True)) == {TransferState.SETTLED}
    drain_inbox()
    each_settled_once(payouts, as_role=as_role)
