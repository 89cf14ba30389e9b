"""Paying another partner over the API: consent, alias, and nothing else that could be learned."""

from typing import Any

import pytest

from tests.partners import PartnerWorld, acme, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"


def order(payer: PartnerWorld, alias: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "partner",
        "source_account": payer.source.public_id,
        "destination_alias": alias,
        "amount_minor": 250,
        "currency": "EUR",
    } | changes


def payers(owner: PartnerWorld) -> str:
    return f"/v1/accounts/{owner.target.public_id}/payers"


def test_with_the_owners_consent_money_moves_at_once(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    alias = globex.target.alias
    assert acme.post(PATH, order(acme, alias)).status_code == 404
    given = globex.post(payers(globex), {"payer": acme.partner.slug})
    assert (given.status_code, given.json()["withdrawn_at"]) == (201, None)
    assert globex.get(given["Location"]).json() == given.json()
    assert acme.get(given["Location"]).status_code == 404
    made = acme.post(PATH, order(acme, alias, reference="invoice 7"))
    assert (made.status_code, made.json()["state"]) == (201, "settled")
    assert (made.json()["destination_account"], made.json()["destination_alias"]) == (None, alias)
    assert acme.get(made["Location"]).json() == made.json()
    line = globex.get(f"/v1/accounts/{globex.target.public_id}/postings").json()["data"][0]
    assert (line["amount_minor"], line["purpose"], line["transfer"]) == (
        250,
        "partner_transfer",
        None,
    )
    assert made.json()["id"] not in globex.get("/v1/events").content.decode()
    assert globex.target.public_id not in acme.get("/v1/events").content.decode()
    assert globex.get(made["Location"]).status_code == 404


def test_a_withdrawn_consent_takes_nothing_more(acme: PartnerWorld, globex: PartnerWorld) -> None:
    standing = [
        one for one in globex.get(payers(globex)).json()["data"] if not one["withdrawn_at"]
    ]
    for one in standing:
        assert globex.post(f"/v1/payers/{one['id']}/withdraw").json()["withdrawn_at"]
    given = globex.post(payers(globex), {"payer": acme.partner.slug}).json()["id"]
    assert acme.post(f"/v1/payers/{given}/withdraw").status_code == 404
    assert acme.post(PATH, order(acme, globex.target.alias)).status_code == 201
    assert globex.post(f"/v1/payers/{given}/withdraw").status_code == 200
    assert acme.post(PATH, order(acme, globex.target.alias)).status_code == 404


def test_an_alias_that_exists_reads_like_one_that_does_not(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    answers = []
    for alias in (globex.source.alias, "no-such-alias", acme.target.alias):
        answer = acme.post(PATH, order(acme, alias))
        body = answer.json()
        assert body.pop("alias") == alias
        assert body["code"] == "destination_unavailable"
        body.pop("instance", None)
        body.pop("trace_id", None)
        answers.append((answer.status_code, body))
    assert answers[0] == answers[1] == answers[2]


def test_no_consent_may_be_given_or_read_for_anothers_account(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    assert acme.post(payers(globex), {"payer": acme.partner.slug}).status_code == 404
    assert acme.get(payers(globex)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"destination_alias": None}, "destination_alias"),
        ({"destination_alias": "x" * 41}, "destination_alias"),
        ({"destination_account": "acc_00000000000000000000000000"}, "destination_account"),
        ({"execute_at": "2030-01-01T00:00:00Z"}, "execute_at"),
    ],
)
def test_a_wrong_field_is_named(acme: PartnerWorld, changes: dict[str, Any], name: str) -> None:
    answer = acme.post(PATH, order(acme, "somebody-s", **changes))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


@pytest.mark.parametrize("name", ["destination_alias", "execute_at"])
def test_a_batch_takes_no_transfer_to_a_partner_and_none_for_later(
    acme: PartnerWorld, name: str
) -> None:
    value = {"destination_alias": "x", "execute_at": "2030-01-01T00:00:00Z"}[name]
    item = acme.internal(key="0123456789abcdef") | {name: value}
    answer = acme.post("/v1/transfer-batches", {"atomic": False, "items": [item]})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [f"items[0].{name}"])


def test_a_lost_answer_is_given_again_and_pays_once(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    globex.post(payers(globex), {"payer": acme.partner.slug})
    body, key = order(acme, globex.target.alias), "partner-key-0123456789"
    first = acme.post(PATH, body, key=key)
    again = acme.post(PATH, body, key=key)
    assert first.status_code == 201
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
