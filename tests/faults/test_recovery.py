"""T02: workers killed at every step at once; a crew that starts then finishes all in a minute."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.utils import timezone

from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.rounds.callbacks import drain_inbox
from integrations.rounds.dispatching import ask_providers, send_payouts
from integrations.services.inbox import receive
from integrations.states import CallbackState
from tests.books import assert_books_hold
from tests.faults.conftest import KILLED, Doubles, run_in_child
from tests.faults.crew import crew_at_work
from tests.faults.scene import Scene, approve, ask_batch, ask_payout, set_the_scene, tell_stories
from tests.faults.test_exactly_once import SECRET
from tests.faults.test_kill_at_every_step import HERE, NAMES, assert_the_bank_paid_once, is_done
from transactions.models import Transfer, TransferBatch
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]
RECOVERED_SECONDS_MAX = 60.0
LARGE_MINOR, SMALL_MINOR = 12_000, 700
BATCH_ITEMS = 3
# Reached only where a payout has been silent for a while: it was sent an hour ago.
AFTER_SILENCE = ("dispatch.inquiry", "dispatch.reclaim")
As = Callable[[str], AbstractContextManager[None]]


def send_an_hour_ago() -> None:
    """Send payouts and hear nothing of them since."""
    with patch("django.utils.timezone.now", return_value=timezone.now() - timedelta(hours=1)):
        send_payouts()


def work() -> None:
    """Do one round of everything a worker does."""
    carry_out_batches()
    carry_out_approvals()
    send_payouts()
    drain_inbox()
    ask_providers()


def give_work(scene: Scene, *, outside: Doubles, seed: str, as_role: As) -> None:
    """Bring some of everything: payouts, one for two people, a batch, callbacks."""
    with as_role("api"):
        for name in NAMES:
            ask_payout(scene, amount_minor=SMALL_MINOR, name=name)
        large = ask_payout(scene, amount_minor=LARGE_MINOR)
        ask_batch(scene, items=BATCH_ITEMS)
    with as_role("admin"):
        approve(large)
    told = tell_stories(scene, "partial_then_full_refund", seed=seed)
    outside.stripe.knows(told)
    with as_role("callbacks"):
        for each in told:
            event = Genuine(event_id=each.event_id, event_type=each.event_type)
            receive("stripe", endpoint="main", event=event, body=each.body)


@pytest.mark.full
def test_t02_killed_everywhere_all_is_finished_within_a_minute(
    outside: Doubles, as_role: As, tmp_path: Path
) -> None:
    with as_role("migrator"):
        scene = set_the_scene()
    for failpoint in HERE:
        give_work(scene, outside=outside, seed=failpoint, as_role=as_role)
        if failpoint.startswith(AFTER_SILENCE):
            assert run_in_child(send_an_hour_ago) == 0
        assert run_in_child(work, failpoint=failpoint) == KILLED, failpoint
    left = Counter(Transfer.objects.values_list("state", flat=True))
    killed_at = time.monotonic()
    with crew_at_work(tmp_path, outside=outside, secret=SECRET):
        while not is_done() and time.monotonic() - killed_at <= RECOVERED_SECONDS_MAX:
            time.sleep(0.2)
        took = time.monotonic() - killed_at
    print(  # noqa: T201 - what the proof shows
        f"T02: {len(HERE)} workers killed, {dict(left)} left by them;"
        f" {TransferBatch.objects.count()} batches, {Callback.objects.count()} callbacks and all"
        f" transfers done {took:.1f} s after the last"
    )
    assert is_done(), Counter(Transfer.objects.values_list("state", flat=True))
    assert took <= RECOVERED_SECONDS_MAX
    assert set(Callback.objects.values_list("state", flat=True)) == {CallbackState.PROCESSED}
    with as_role("admin"):
        assert_the_bank_paid_once(outside, scene=scene)
    with as_role("migrator"):
        assert_books_hold()
