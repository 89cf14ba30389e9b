"""T54: whatever is sent, no 5xx, and every answer is one that the OpenAPI document describes."""

import json
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from config.openapi import document
from tests import factories
from tests.attacks.openapi_requests import FRESH, METHODS_MORE, Drawing, Generator
from tests.partners import IBAN, PartnerWorld, acme, company_of, fresh_key, globex
from transactions.fees import FeeTerms
from transactions.states import TransferKind

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
SHORT, FULL = 250, 5000


def test_t54_short_a_few_hundred_requests(acme: PartnerWorld, globex: PartnerWorld) -> None:
    said = fuzz(acme, stranger=globex, requests=SHORT)
    print(f"T54 short: {dict(said)}")  # noqa: T201 - what the proof shows


@pytest.mark.full
def test_t54_five_thousand_requests(acme: PartnerWorld, globex: PartnerWorld) -> None:
    said = fuzz(acme, stranger=globex, requests=FULL)
    print(f"T54: {sum(said.values())} requests: {dict(sorted(said.items()))}")  # noqa: T201 - what the proof shows
    assert sum(said.values()) >= FULL


@pytest.mark.parametrize("method", METHODS_MORE)
def test_other_methods_are_refused_everywhere(acme: PartnerWorld, method: str) -> None:
    for path in document()["paths"]:
        answer = acme.call(method, path.replace("{", "").replace("}", ""))
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
        assert answer["Allow"]


def test_the_document_is_one(acme: PartnerWorld) -> None:
    found = acme.http.get("/v1/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    for operation in operations(found).values():
        assert {"operationId", "summary", "description", "responses", "security"} <= set(operation)
    for schema in found["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_an_answer_with_a_field_more_would_be_noticed() -> None:
    """The control: the comparison below can fail."""
    shape = validator("/v1/transfers", "POST", 201)
    assert shape is not None
    assert not shape.is_valid({"id": "trf_x"})


def fuzz(world: PartnerWorld, *, stranger: PartnerWorld, requests: int) -> Counter[int]:
    """Send `requests` drawn requests, check each answer, and count the statuses."""
    said: Counter[int] = Counter()
    generator = Generator(document=document(), known=known(world, stranger=stranger))

    @settings(
        max_examples=requests,
        deadline=None,
        database=None,
        derandomize=requests == SHORT,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(generator.requests())
    def once(drawing: Drawing) -> None:
        said[check(world, drawing=drawing)] += 1

    once()
    # A fuzz that is always refused at the door proves little: many must get through.
    assert sum(count for status, count in said.items() if status < 300) > requests // 20
    return said


def check(world: PartnerWorld, *, drawing: Drawing) -> int:
    """Send one request and compare its answer with the document."""
    headers = dict(drawing.headers)
    if headers.get("Idempotency-Key") == FRESH:
        headers["Idempotency-Key"] = fresh_key()
    sent = world.call(
        drawing.method,
        drawing.url,
        body=drawing.body,
        content_type=drawing.content_type,
        headers=headers,
    )
    assert sent.status_code < 500, (drawing, sent.content)
    described = operations(document())[drawing.path, drawing.method]["responses"]
    # A path with nonsense in it may be another path, or none.
    if sent.status_code in {404, 405} and "{" in drawing.path:
        assert sent["Content-Type"] == "application/problem+json"
        return int(sent.status_code)
    assert str(sent.status_code) in described, (drawing, sent.status_code, sent.content)
    content = described[str(sent.status_code)]["content"]
    assert sent["Content-Type"] in content, (drawing, sent["Content-Type"])
    shape = validator(drawing.path, drawing.method, sent.status_code)
    errors = list(shape.iter_errors(json.loads(sent.content))) if shape else []
    assert not errors, (drawing, sent.content, errors[:2])
    return int(sent.status_code)


def known(world: PartnerWorld, *, stranger: PartnerWorld) -> Mapping[str, list[Any]]:
    """Return values that exist, so that requests get beyond the door."""
    made = world.post("/v1/transfers", world.payout()).json()["id"]
    theirs = stranger.post("/v1/transfers", stranger.payout()).json()["id"]
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    held = world.post("/v1/holds", world.hold()).json()["id"]
    their_hold = stranger.post("/v1/holds", stranger.hold()).json()["id"]
    batches = [
        who.post("/v1/transfer-batches", {"atomic": False, "items": [item]}).json()["id"]
        for who in (world, stranger)
        for item in [who.payout(key=fresh_key())]
    ]
    given = [
        who.post(f"/v1/accounts/{who.target.public_id}/payers", {"payer": other.partner.slug})
        for who, other in ((world, stranger), (stranger, world))
    ]
    rules = [
        factories.fee(company_of(who), FeeTerms(flat_minor=1), kind=TransferKind.PARTNER)
        for who in (world, stranger)
    ]
    page = world.get("/v1/events?limit=1").json()
    mine = [world.source.public_id, world.target.public_id]
    return {
        "source_account": [*mine, mine[0], mine[0], stranger.source.public_id],
        "destination_account": [*mine, mine[1], stranger.source.public_id],
        "account_id": [*mine, stranger.source.public_id],
        "transfer_id": [made, theirs],
        "hold_id": [held, their_hold],
        "expires_at": [soon],
        "execute_at": [soon],
        "batch_id": batches,
        "rule_id": [rule.public_id for rule in rules],
        "payer_id": [answer.json()["id"] for answer in given],
        "destination_alias": [stranger.target.alias, stranger.source.alias],
        "key": ["one-key-used-again-and-again"],
        "currency": ["EUR", "EUR", "EUR", "JPY"],
        "iban": [IBAN, "GB33BUKB20201555555555"],
        "cursor": [page["next_cursor"]],
    }


@cache
def validator(path: str, method: str, status: int) -> Draft202012Validator | None:
    """Return what checks one answer: no field less, and none that the document does not name."""
    content = operations(document())[path, method]["responses"][str(status)]["content"]
    schema = next(iter(content.values()))["schema"]
    components = {name: exact(s) for name, s in document()["components"]["schemas"].items()}
    return Draft202012Validator({**schema, "components": {"schemas": components}})


def exact(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of an object that allows only the fields it names; problems carry facts."""
    closed = deepcopy(schema)
    if "properties" in closed and "retryable" not in closed["properties"]:
        closed.setdefault("additionalProperties", False)
    return closed


def operations(found: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return every operation by path and method."""
    return {
        (path, method.upper()): operation
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    }
