"""T04: every callback three times, shuffled, some at once: each has one effect, as in order."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

import pytest
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone

from audit.typeids import typeid
from config.sandbox.stories import Delivery, build
from config.settings import callbacks as door
from integrations.models import Callback
from integrations.rounds.callbacks import drain_inbox
from integrations.states import CallbackState
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.faults.conftest import Doubles
from tests.faults.scene import Scene, set_the_scene
from transactions.models import Dispute, Journal, LedgerAccount, Payment, Posting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]

SECRET = "whsec_for_tests_only_0123456789"
STORIES = ("plain_charge", "partial_then_full_refund", "dispute_won", "payout_paid_then_failed")
COPIES = 3
AT_ONCE = 4
TOGETHER_ONE_IN = 10
EVENTS_FULL = 1_000
ROUNDS_MAX = 12
As = Callable[[str], AbstractContextManager[None]]


at_the_door = override_settings(
    ROOT_URLCONF=door.ROOT_URLCONF,
    MIDDLEWARE=door.MIDDLEWARE,
    CALLBACK_SECRETS={"stripe/main": (SECRET,)},
)


@at_the_door
def post_all(deliveries: list[Delivery]) -> list[int]:
    """Send the deliveries through the real door, one after the other."""
    return [_post(each) for each in deliveries]


@at_the_door
def post_in_disorder(in_order: list[Delivery], *, seed: int) -> list[int]:
    """Send every delivery three times, shuffled; all copies of one in ten at the same time."""
    dice = random.Random(seed)  # noqa: S311 - the same disorder in every run
    mixed = dice.sample(in_order, k=len(in_order))
    together = [[each] * COPIES for each in mixed[::TOGETHER_ONE_IN]]
    alone = [[each] for number, each in enumerate(mixed) if number % TOGETHER_ONE_IN]
    rounds = together + alone * COPIES
    dice.shuffle(rounds)
    with ThreadPoolExecutor(COPIES) as pool:
        return [answer for each in rounds for answer in pool.map(_post_alone, each)]


def _post(delivery: Delivery) -> int:
    """Send one delivery."""
    answer = Client().post(
        "/callbacks/stripe/main",
        data=delivery.body,
        content_type="application/json",
        headers=delivery.headers(secret=SECRET),
    )
    return answer.status_code


def _post_alone(delivery: Delivery) -> int:
    """Send one delivery on a connection of its own."""
    try:
        return _post(delivery)
    finally:
        connections.close_all()


def stories_for(scene: Scene, *, count: int) -> list[Delivery]:
    """Return `count` tellings of the stories, each with ids of its own, in order.

    They are signed now, and are as good as their signatures: for five minutes.
    """
    now = timezone.now()
    return [
        delivery
        for number in range(count)
        for delivery in build(
            STORIES[number % len(STORIES)],
            seed=f"t04-{number}",
            account=typeid("acc", scene.account.pk),
            now=now,
        ).deliveries
    ]


def drain_together(workers: int) -> None:
    """Work the inbox off with several workers at once, until it stays empty."""

    def one() -> None:
        try:
            drain_inbox()
        finally:
            connections.close_all()

    for _ in range(ROUNDS_MAX):
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(one) for _ in range(workers)]:
                done.result()
        waiting = Callback.objects.filter(state=CallbackState.RECEIVED)
        if not waiting.exists():
            return
        waiting.update(due_at=timezone.now())
    pytest.fail("the inbox was never empty")


def effects() -> dict[str, object]:
    """Return what the callbacks did to the books, in names that do not change from run to run."""
    code = {str(key): name for key, name in LedgerAccount.objects.values_list("id", "code")}
    sums: Counter[str] = Counter()
    for account_id, amount in Posting.objects.values_list("account_id", "amount_minor"):
        sums[code[str(account_id)]] += amount
    opening = "stripe:txn_opening"
    return {
        "journals": Counter(
            Journal.objects.exclude(origin=opening).values_list("origin", flat=True)
        ),
        "payments": sorted(
            Payment.objects.exclude(reference="ch_opening").values_list(
                "reference", "state", "booked_minor", "refunded_minor", "disputed_minor"
            )
        ),
        "disputes": sorted(Dispute.objects.values_list("reference", "state")),
        "sums": sums,
    }


def told(
    outside: Doubles, *, tellings: int, as_role: As, post: Callable[[list[Delivery]], list[int]]
) -> tuple[dict[str, object], Counter[int]]:
    """Tell the stories to a fresh house; return what they did to its books, and the answers."""
    STAGE.reclone()
    with as_role("migrator"):
        scene = set_the_scene()
    in_order = stories_for(scene, count=tellings)
    outside.stripe.knows(in_order)
    with as_role("callbacks"):
        answers = Counter(post(in_order))
    events = Counter(Callback.objects.values_list("event_id", flat=True))
    assert events == Counter(each.event_id for each in in_order)
    assert set(events.values()) == {1}
    drain_together(AT_ONCE if answers.total() > len(in_order) else 1)
    assert set(Callback.objects.values_list("state", flat=True)) == {CallbackState.PROCESSED}
    with as_role("migrator"):
        assert_books_hold()
    return effects(), answers


def compare(outside: Doubles, *, tellings: int, seed: int, as_role: As) -> int:
    """Insist that three copies in disorder end as one copy in order does; return how many."""
    scene = partial(told, outside, tellings=tellings, as_role=as_role)
    chaos, sent = scene(post=partial(post_in_disorder, seed=seed))
    order, once = scene(post=post_all)
    assert chaos == order
    assert sent == {200: COPIES * once[200]}
    assert set(once) == {200}
    return once[200]


def test_t04_callbacks_thrice_and_shuffled_have_one_effect_each(
    outside: Doubles, as_role: As
) -> None:
    compare(outside, tellings=4, seed=4, as_role=as_role)


@pytest.mark.full
def test_t04_a_thousand_events_three_times_in_disorder(outside: Doubles, as_role: As) -> None:
    events = compare(outside, tellings=250, seed=44, as_role=as_role)
    print(  # noqa: T201 - what the proof shows
        f"T04: {events} events, {COPIES} copies of each in disorder, {events // TOGETHER_ONE_IN}"
        " at the same time: the effects of one copy in order"
    )
    assert events >= EVENTS_FULL
