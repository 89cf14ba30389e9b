"""A batch of callbacks under attack: one poisoned, one slow, the worker killed in the middle."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from config.sandbox.stories import Delivery
from integrations.models import Callback
from integrations.providers.base import Genuine
from integrations.rounds import callbacks, reading
from integrations.rounds.callbacks import drain_inbox
from integrations.services.inbox import receive
from integrations.states import CallbackState
from tests.faults.conftest import KILLED, Doubles, run_in_child
from tests.faults.scene import set_the_scene, tell_stories
from tests.faults.test_bell_and_worker import charges, each_once
from tests.faults.test_exactly_once import post_all
from transactions.reports import Report
from transactions.services import subjects

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]

EVENTS = 12
As = Callable[[str], AbstractContextManager[None]]


def arrived(told: list[Delivery], *, as_role: As) -> None:
    """Let the callbacks come in through the real door."""
    with as_role("callbacks"):
        assert set(post_all(told)) == {200}


def make_due() -> None:
    """Let leases run out and delays pass, as time would."""
    Callback.objects.filter(state=CallbackState.RECEIVED).update(due_at=timezone.now())


def states() -> dict[str, str]:
    """Return how each callback ended, by its event."""
    return dict(Callback.objects.values_list("event_id", "state"))


@contextmanager
def poisoned(reference: str, *, as_role: As) -> Iterator[None]:
    """Let the database refuse whatever is about one payment."""
    rule = "ALTER TABLE transactions_payment {} CONSTRAINT poison {}"
    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(rule.format("ADD", f"CHECK (reference <> '{reference}') NOT VALID"))
    try:
        yield
    finally:
        with as_role("migrator"), connection.cursor() as cursor:
            cursor.execute(rule.format("DROP", ""))


@contextmanager
def batches_noted() -> Iterator[list[int]]:
    """Note how many callbacks were acted on together, each time."""
    sizes: list[int] = []
    whole = callbacks.act

    def act(*, reports: list[Report], **more: object) -> object:
        sizes.append(len(reports))
        return whole(reports=reports, **more)  # type: ignore[arg-type]

    with patch.object(callbacks, "act", act):
        yield sizes


def test_one_poisoned_callback_stops_no_other_and_is_tried_again(
    outside: Doubles, as_role: As
) -> None:
    told = charges(outside, count=EVENTS, as_role=as_role)
    arrived(told, as_role=as_role)
    bad = told[EVENTS // 2]
    charge = next(each["id"] for each in bad.objects if each["object"] == "charge")
    with poisoned(charge, as_role=as_role), batches_noted() as sizes:
        drain_inbox()
        assert sizes[0] == EVENTS
        assert sizes.count(1) <= 2, "halved, not taken one by one"
        wrong = Callback.objects.get(state=CallbackState.RECEIVED)
        assert (wrong.event_id, wrong.detail, wrong.attempts) == (bad.event_id, "database", 1)
    make_due()
    drain_inbox()
    assert set(states().values()) == {CallbackState.PROCESSED}
    each_once(told)


def test_a_provider_slow_for_one_is_not_waited_for(outside: Doubles, as_role: As) -> None:
    told = charges(outside, count=EVENTS, as_role=as_role)
    arrived(told, as_role=as_role)
    outside.stripe.dawdles(seconds=3)
    with patch.object(reading, "READ_SECONDS_MAX", 1.5):
        drain_inbox()
    late = Callback.objects.get(state=CallbackState.RECEIVED)
    assert late.detail == "the provider was not heard in time"
    make_due()
    drain_inbox()
    assert set(states().values()) == {CallbackState.PROCESSED}
    each_once(told)


def die(*_: object, **__: object) -> None:
    """End this process without any warning."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("where", ["reading", "deciding", "acted"])
def test_killed_in_the_middle_of_a_batch_nothing_is_lost_or_doubled_and_each_goes_alone(
    where: str, outside: Doubles, as_role: As
) -> None:
    told = charges(outside, count=EVENTS, as_role=as_role)
    arrived(told, as_role=as_role)
    failpoint = "callback.act.after" if where == "acted" else ""
    module, name = (reading, "open_box") if where == "reading" else (subjects, "posting")
    with patch.object(module, name, getattr(module, name) if failpoint else die):
        assert run_in_child(drain_inbox, failpoint=failpoint) == KILLED
    make_due()
    with batches_noted() as sizes:
        drain_inbox()
    assert sizes == [1] * EVENTS, "what may have killed a worker is not worked off with others"
    assert set(states().values()) == {CallbackState.PROCESSED}
    each_once(told)


def test_news_of_one_subject_is_applied_in_the_order_it_came(
    outside: Doubles, as_role: As
) -> None:
    with as_role("migrator"):
        scene = set_the_scene()
    told = tell_stories(scene, "dispute_won")
    outside.stripe.knows(told)
    with as_role("callbacks"):
        for each in told:
            event = Genuine(event_id=each.event_id, event_type=each.event_type)
            receive("stripe", endpoint="main", event=event, body=each.body)
    with batches_noted() as sizes:
        drain_inbox()
    assert sizes == [len(told)]
    said = Entry.objects.filter(action="dispute.noted", outcome="done").order_by("id")
    bodies = [bytes(each.body).decode() for each in said]
    order = ["needs_response", "under_review", "won"]
    found = [next(word for word in reversed(order) if f'"state":"{word}"' in b) for b in bodies]
    assert found == sorted(found, key=order.index)
    assert found[-1] == "won"
