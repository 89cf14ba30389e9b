"""Our samples against Stripe's schema facts and the recorded bodies, where those are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.providers.base import Ignored, NotYet
from integrations.providers.stripe.mapping import READINGS
from tests.integrations.stripe.cast import SAMPLES, Json, Shelf, read, recorded, sample
from transactions.meanings import NotUnderstood

KINDS = ("charge", "payment_intent", "refund", "dispute", "payout", "balance_transaction")

# Stripe's schema facts (openapi/fixtures3.json, MIT): members that may be missing or be named
# otherwise in our samples, each with its reason.
NOT_SHOWN: dict[str, frozenset[str]] = {
    "charge": frozenset({"refunds", "source", "shipping"}),  # expanded or legacy
    "payment_intent": frozenset(
        {"source", "shipping", "payment_method_configuration_details", "managed_payments"}
        | {"excluded_payment_method_types", "customer_account"}  # newer than our pinned version
    ),
    "refund": frozenset({"customer", "customer_account", "payment_method"}),
    "dispute": frozenset({"payment_intent", "payment_method_details"}),
    "payout": frozenset({"payout_method"}),
    "balance_transaction": frozenset(),
}
SOMETIMES = frozenset({"failure_reason", "failure_balance_transaction"})


def our_objects() -> list[Json]:
    """Return every object in our samples, those inside events included."""
    kept = [json.loads(path.read_text()) for path in sorted((SAMPLES / "objects").iterdir())]
    return kept + [sample(event_type)["data"]["object"] for event_type in READINGS]


def kind_of(value: object) -> str:
    """Return the JSON type of a value; null fits any."""
    return "boolean" if isinstance(value, bool) else type(value).__name__


def test_there_is_one_sample_for_each_event_type_that_is_read() -> None:
    assert {path.stem for path in (SAMPLES / "events").iterdir()} == READINGS.keys()
    for event_type in READINGS:
        assert sample(event_type)["type"] == event_type


def test_sample_events_have_ids_of_their_own() -> None:
    ids = [sample(event_type)["id"] for event_type in READINGS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_our_samples_have_the_members_and_types_of_stripes_own(kind: str) -> None:
    path = recorded() / "01_stripe" / "objects" / f"{kind}.json"
    facts: Json = json.loads(path.read_text())
    ours = [each for each in our_objects() if each["object"] == kind]
    assert ours
    for each in ours:
        assert facts.keys() - each.keys() <= NOT_SHOWN[kind], each["id"]
        assert each.keys() - facts.keys() <= SOMETIMES, each["id"]
        for name in each.keys() & facts.keys():
            mine, theirs = each[name], facts[name]
            if mine is not None and theirs is not None:
                assert kind_of(mine) == kind_of(theirs), (each["id"], name)


def test_our_envelopes_have_the_members_of_stripes_own() -> None:
    facts: Json = json.loads((recorded() / "01_stripe" / "objects" / "event.json").read_text())
    for event_type in READINGS:
        assert sample(event_type).keys() == facts.keys()


def recorded_events() -> list[Path]:
    """Return every recorded event body of a type that we read."""
    folder = recorded() / "01_stripe" / "events_ruby_mock"
    return [path for path in sorted(folder.iterdir()) if path.stem in READINGS]


def answers_for(event: Json) -> Shelf:
    """Return a Stripe that knows the charge an event speaks of, as the event has it."""
    subject: dict[str, Any] = event["data"]["object"]
    inside = subject.get("charges", {}).get("data", []) + subject.get("balance_transactions", [])
    return Shelf(each for each in [subject, *inside] if each.get("id"))


OLD_FORM = {  # recorded under versions so old that members we need did not exist
    "charge.dispute.closed.json",
    "charge.dispute.updated.json",
    "charge.updated.json",
}


def test_recorded_bodies_are_read_as_far_as_their_placeholders_allow() -> None:
    """Their ids repeat and no balance transaction can be asked for: that is as far as it goes."""
    refused = {}
    for path in recorded_events():
        event = json.loads(path.read_text())
        try:
            read(path.read_bytes(), answers_for(event))
        except NotYet:
            continue
        except NotUnderstood as error:
            refused[path.name] = error.reason
    assert refused.keys() == OLD_FORM, refused


def test_every_other_recorded_body_is_ignored() -> None:
    folder = recorded() / "01_stripe" / "events_ruby_mock"
    others = [path for path in sorted(folder.iterdir()) if path.stem not in READINGS]
    assert others
    for path in others:
        with pytest.raises(Ignored):
            read(path.read_bytes())
