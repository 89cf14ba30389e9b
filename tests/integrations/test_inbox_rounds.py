"""The inbox under stress: one bad callback stops no other, and a slow worker undoes nothing."""

import time
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from integrations.endings import ATTEMPTS_MAX, ended
from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.rounds.callbacks import drain_inbox
from integrations.services.inbox import GATHER_SECONDS, begin, lease_batch, mark, receive
from integrations.states import CallbackState
from tests.factories import committed

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
UNINTERESTING = b'{"id": "evt_%d", "object": "event", "type": "customer.created"}'


@pytest.fixture
def _inbox_is_empty(as_role: object) -> None:
    """Let no callback of another test be due."""
    Callback.objects.update(state=CallbackState.IGNORED)


def arrive(number: int, as_role: object) -> Callback:
    """Let one uninteresting callback come in."""
    body = UNINTERESTING % number
    with as_role("callbacks"):  # type: ignore[operator]
        event = Genuine(event_id=f"evt_{number}", event_type="customer.created")
        receive("stripe", endpoint="main", event=event, body=body)
    return Callback.objects.get(event_id=f"evt_{number}")


@pytest.mark.usefixtures("_inbox_is_empty")
def test_a_poison_callback_is_put_aside_and_the_rest_go_on(as_role: object) -> None:
    poison = arrive(1, as_role)
    Callback.objects.filter(pk=poison.pk).update(body=b"closed for another key")
    good = [arrive(number, as_role) for number in (2, 3, 4)]
    for _ in range(ATTEMPTS_MAX):
        drain_inbox()
        Callback.objects.filter(state=CallbackState.RECEIVED).update(due_at=timezone.now())
    states = {row.pk: row.state for row in Callback.objects.all()}
    assert {states[row.pk] for row in good} == {CallbackState.IGNORED}
    assert states[poison.pk] == CallbackState.QUARANTINED


@pytest.mark.usefixtures("_inbox_is_empty")
def test_a_worker_whose_lease_ran_out_overwrites_nothing(as_role: object) -> None:
    arrive(10, as_role)
    slow = lease_batch()
    assert begin(slow)
    Callback.objects.filter(pk=slow[0].pk).update(due_at=timezone.now())
    fast = lease_batch()
    assert begin(fast)
    assert not begin(slow)
    mark([ended(fast[0], CallbackState.PROCESSED, detail="done")])
    mark([ended(slow[0], CallbackState.QUARANTINED, detail="too late")])
    assert Callback.objects.get(pk=slow[0].pk).state == CallbackState.PROCESSED


@pytest.mark.usefixtures("_inbox_is_empty")
def test_a_lease_nobody_worked_under_counts_no_try(as_role: object) -> None:
    row = arrive(20, as_role)
    for _ in range(ATTEMPTS_MAX):
        assert lease_batch()
        Callback.objects.filter(pk=row.pk).update(due_at=timezone.now())
    assert Callback.objects.get(pk=row.pk).attempts == 0


def test_a_connection_that_was_cut_since_the_last_callback_loses_none(as_role: object) -> None:
    with as_role("callbacks"):  # type: ignore[operator]
        connection.ensure_connection()
        connection.connection.pgconn.finish()
        event = Genuine(event_id="evt_30", event_type="customer.created")
        receive("stripe", endpoint="main", event=event, body=UNINTERESTING % 30)
    assert Callback.objects.get(event_id="evt_30").deliveries == 1


def test_what_is_rung_for_while_news_gathers_is_seen_by_the_look_that_follows(
    as_role: object,
) -> None:
    """The door rings once for all that comes within GATHER_SECONDS: so nobody may look sooner."""

    def gather(seconds: float) -> None:
        assert seconds == GATHER_SECONDS
        if not Callback.objects.filter(event_id="evt_40").exists():
            arrive(40, as_role)

    with patch.object(time, "sleep", gather):
        drain_inbox()
    assert Callback.objects.get(event_id="evt_40").state == CallbackState.IGNORED
