"""T02: a worker killed round any external write leaves nothing lost and nothing twice."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from importlib import import_module
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Letter
from audit.failpoints import FAILPOINTS
from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.rounds.callbacks import drain_inbox
from integrations.rounds.dispatching import ask_providers, send_payouts
from integrations.services.inbox import receive
from integrations.states import CallbackState
from tests.books import assert_books_hold
from tests.faults.conftest import KILLED, Doubles, run_in_child
from tests.faults.scene import (
    Scene,
    approve,
    ask_batch,
    ask_payout,
    set_the_scene,
    tell_stories,
)
from tests.faults.test_kill_elsewhere import KILLED_AT as ELSEWHERE
from transactions.models import BatchItem, Journal, Transfer, TransferBatch
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches
from transactions.services import batches
from transactions.states import OVER, TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]

for module in (
    "integrations.api.callbacks",
    "transactions.rounds.approvals",
    "transactions.rounds.batches",
    "transactions.rounds.holds",
    "transactions.rounds.schedules",
):
    import_module(module)

RUNS_MAX = 8
CHUNK_ITEMS = 2
HERE = sorted(name for name in FAILPOINTS if name.rpartition(".")[0] not in ELSEWHERE)
SHORT = [
    "batch.carry_out.after",
    "dispatch.pay.after",
    "dispatch.reclaim.after",
    "callback.act.after",
]
NAMES = ("small", "small DROP", "small ERROR-AFTER", "small NEVER-HEARD", "small DECLINE")
PAID_OR_DECLINED = (TransferState.SETTLED, TransferState.FAILED)
FULL_ROUNDS = 5
As = Callable[[str], AbstractContextManager[None]]


def work(hour: int) -> None:
    """Do one round of everything a worker does, so late that every silence is too long."""
    later = timezone.now() + timedelta(hours=hour)
    with patch.object(batches, "CHUNK_ITEMS", CHUNK_ITEMS):
        carry_out_batches()
    carry_out_approvals()
    send_payouts()
    drain_inbox()
    with patch("django.utils.timezone.now", return_value=later):
        ask_providers()


def is_done() -> bool:
    """Say whether nothing is left to do."""
    return not (
        Transfer.objects.exclude(state__in=PAID_OR_DECLINED).exists()
        or Callback.objects.filter(state=CallbackState.RECEIVED).exists()
        or TransferBatch.objects.exclude(state__in=OVER).exists()
    )


def end_leases() -> None:
    """Let the dead worker's leases run out, as time would."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_callback SET due_at = now() WHERE state = 'received'")


def play(outside: Doubles, *, failpoint: str, as_role: As) -> tuple[Scene, int]:
    """Set the scene, kill the worker at `failpoint`, and let others finish; count the runs."""
    with as_role("migrator"):
        scene = set_the_scene()
    with as_role("api"):
        for name in NAMES:
            ask_payout(scene, amount_minor=700, name=name)
        large = ask_payout(scene, amount_minor=50_000)
        ask_batch(scene, items=5)
        ask_batch(scene, items=5, is_atomic=True)
    with as_role("admin"):
        approve(large)
    deliveries = tell_stories(scene, "partial_then_full_refund", "payout_paid")
    outside.stripe.knows(deliveries)
    with as_role("callbacks"):
        for told in deliveries:
            event = Genuine(event_id=told.event_id, event_type=told.event_type)
            receive("stripe", endpoint="main", event=event, body=told.body)
    assert run_in_child(partial(work, 1), failpoint=failpoint) == (KILLED if failpoint else 0)
    for run in range(1, RUNS_MAX):
        if is_done():
            return scene, run
        end_leases()
        # At the bank, too, time goes by: it denies what it knows only for a while.
        outside.bank.call("POST", "/_control/advance", form={"seconds": 1})
        assert run_in_child(partial(work, run + 1)) == 0
    return scene, RUNS_MAX


def state_of_the_books() -> dict[str, object]:
    """Return what must be the same, whoever was killed where."""
    return {
        "transfers": Counter(Transfer.objects.values_list("state", flat=True)),
        "journals": Counter(Journal.objects.values_list("purpose", flat=True)),
        "letters": Counter(
            Letter.objects.filter(
                type__in=["transfer.settled", "transfer.failed", "movement.refund"]
            ).values_list("type", flat=True)
        ),
        "batches": Counter(TransferBatch.objects.values_list("state", "done_count")),
        "items": Counter(BatchItem.objects.values_list("number", "outcome", "code")),
        "callbacks": Counter(Callback.objects.values_list("state", flat=True)),
    }


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, object]:
    """The books of the run in which nobody was killed, filled in by the first test."""
    return {}


@pytest.mark.parametrize("failpoint", ["", *SHORT])
def test_t02_killed_where_money_leaves_or_is_booked_the_books_end_the_same(
    failpoint: str, outside: Doubles, undisturbed: dict[str, object], as_role: As
) -> None:
    _kill_and_compare(failpoint, outside=outside, undisturbed=undisturbed, as_role=as_role)


@pytest.mark.full
@pytest.mark.parametrize("round_", range(FULL_ROUNDS))
@pytest.mark.parametrize("failpoint", ["", *HERE])
def test_t02_killed_at_any_step_the_books_end_the_same(
    failpoint: str, round_: int, outside: Doubles, undisturbed: dict[str, object], as_role: As
) -> None:
    _kill_and_compare(failpoint, outside=outside, undisturbed=undisturbed, as_role=as_role)


def _kill_and_compare(
    failpoint: str, *, outside: Doubles, undisturbed: dict[str, object], as_role: As
) -> None:
    scene, runs = play(outside, failpoint=failpoint, as_role=as_role)

    assert is_done(), f"not finished after {runs} runs: {state_of_the_books()}"
    if not undisturbed:
        undisturbed.update(state_of_the_books())
    assert state_of_the_books() == undisturbed
    with as_role("admin"):
        assert_the_bank_paid_once(outside, scene=scene)
    with as_role("migrator"):
        assert_books_hold()


def assert_the_bank_paid_once(outside: Doubles, *, scene: Scene) -> None:
    """Ask the bank how often it moved each payout's money: once, or never where it declined."""
    payouts = Transfer.objects.filter(book_id=scene.partner.book_id, kind="payout")
    moved = {each: outside.bank.times_moved(each.public_id) for each in payouts}
    wrong = {
        each.public_id: times
        for each, times in moved.items()
        if times != (each.state == TransferState.SETTLED)
    }
    assert moved
    assert not wrong, f"the bank paid {wrong}"


def test_every_failpoint_is_killed_at_here_or_elsewhere() -> None:
    assert {name.rpartition(".")[0] for name in FAILPOINTS} >= set(ELSEWHERE)
    assert len(HERE) >= 20
