"""The stories of `make demo`, told to the readers alone: they must mean what they promise."""

from datetime import UTC, datetime, timedelta

import pytest

from config.sandbox.stories import STORIES, Booked, Fate, Telling, Templates, build
from integrations.providers.base import Genuine, Ignored
from integrations.providers.stripe.inbound import StripeInbound
from integrations.providers.stripe.mapping import READINGS
from tests.integrations.stripe.cast import Json, Shelf, recorded
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    NotUnderstood,
    PaymentNotice,
    PayoutNotice,
)

ACCOUNT = "acc_01kdvyg3c0f3ztf70p4f4brkvm"
SECRET = "whsec_stories"
NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)


def told(story: str, *, seed: str = "one", templates: Templates | None = None) -> Telling:
    return build(story, seed=seed, account=ACCOUNT, now=NOW, templates=templates)


def fate_of(body: bytes, *, shelf: Shelf) -> tuple[Fate, list[Meaning]]:
    """Say what the inbox would make of an authentic body."""
    try:
        return Fate.PROCESSED, StripeInbound().meanings(body=body, lookup=shelf)
    except NotUnderstood:
        return Fate.QUARANTINED, []
    except Ignored:
        return Fate.IGNORED, []


def hear(telling: Telling) -> tuple[dict[str, Fate], list[Meaning]]:
    """Take every delivery in, as the door and the inbox would."""
    objects: dict[str, Json] = {}
    fates: dict[str, Fate] = {}
    meanings: list[Meaning] = []
    for delivery in telling.deliveries:
        objects |= {each["id"]: each for each in delivery.objects}
        verdict = StripeInbound().verify(
            headers=delivery.headers(secret=SECRET), body=delivery.body, secrets=[SECRET], now=NOW
        )
        if not isinstance(verdict, Genuine):
            fates[delivery.event_id] = Fate.REFUSED
            continue
        assert verdict.event_id == delivery.event_id
        fates[verdict.event_id], found = fate_of(delivery.body, shelf=Shelf(objects.values()))
        meanings += found
    return fates, meanings


def booked(meanings: list[Meaning]) -> dict[str, Booked]:
    """Return what the journals would be: one an origin, however often it is told."""
    moved: dict[str, Booked] = {}
    for each in meanings:
        if isinstance(each, Movement):
            line = Booked(
                origin=each.origin,
                kind=each.kind,
                amount_minor=each.amount_minor,
                fee_minor=each.fee_minor,
                currency=each.currency,
                is_suspended=each.account_id is None,
            )
            assert moved.setdefault(each.origin, line) == line
    return moved


def check(telling: Telling) -> None:
    """Assert that a story, heard in full, ends as it says."""
    fates, meanings = hear(telling)
    ending = telling.ending
    assert fates == ending.fates
    assert booked(meanings) == {line.origin: line for line in ending.booked}
    payments = [each for each in meanings if isinstance(each, PaymentNotice)]
    for reference, (state, refunded) in ending.payments.items():
        heard = [each for each in payments if each.reference == reference]
        assert max(each.refunded_minor for each in heard) == refunded
        assert {each.state for each in heard} == {state}
    disputes = {each.reference: each for each in meanings if isinstance(each, DisputeNotice)}
    assert disputes.keys() == ending.disputes.keys()
    payouts = {each.reference: each for each in meanings if isinstance(each, PayoutNotice)}
    assert {ref: each.state for ref, each in payouts.items()} == dict(ending.payouts)


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_says(story: str) -> None:
    check(told(story))


@pytest.mark.parametrize("story", STORIES)
def test_a_story_made_from_recorded_bodies_ends_as_it_says(story: str) -> None:
    check(told(story, templates=Templates(recorded())))


@pytest.mark.parametrize("story", STORIES)
def test_a_story_is_the_same_for_the_same_seed_and_fresh_for_another(story: str) -> None:
    once, again, other = told(story), told(story), told(story, seed="two")
    assert once == again
    mine = {each.event_id for each in once.deliveries}
    assert not mine & {each.event_id for each in other.deliveries}


def test_there_are_at_least_twelve_stories_and_they_cover_what_they_should() -> None:
    tellings = {story: told(story) for story in STORIES}
    assert len(tellings) >= 12
    types = {each.event_type for telling in tellings.values() for each in telling.deliveries}
    assert types - READINGS.keys() == {"customer.tax_id.created"}
    assert {
        fate for telling in tellings.values() for fate in telling.ending.fates.values()
    } == set(Fate)
    assert all(line.is_suspended for line in tellings["charge_without_metadata"].ending.booked)
    assert len(tellings["duplicate_delivery"].deliveries) > len(
        tellings["duplicate_delivery"].ending.fates
    )
    (yen,) = tellings["zero_decimal_currency"].ending.booked
    assert (yen.currency, yen.amount_minor) == ("JPY", 4_980)
    late = tellings["late_delivery"].ending.booked[0]
    assert late.amount_minor > 0


def test_a_late_story_is_days_old_and_freshly_signed() -> None:
    telling = told("late_delivery")
    assert all(each.sent_at == int(NOW.timestamp()) for each in telling.deliveries)
    charge = next(each for each in telling.deliveries[0].objects if each["object"] == "charge")
    assert charge["created"] < (NOW - timedelta(days=3)).timestamp()
