"""Transfers over the partner API: asked for, followed, called off, and got wrong every way."""

import json
from typing import Any

import pytest

from accounts.states import FreezeMode
from tests import factories
from tests.conftest import STAGE
from tests.partners import FOUNDER, PartnerWorld, acme, fresh_key, globex
from transactions.services.books import open_account
from transactions.services.freezes import freeze_account
from transactions.states import LimitWindow

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"
NOBODY = "acc_00000000000000000000000000"


def balance(world: PartnerWorld, account: str) -> tuple[int, int, int]:
    found = world.get(f"/v1/accounts/{account}").json()
    return found["posted_minor"], found["pending_minor"], found["available_minor"]


def test_an_internal_transfer_is_posted_at_once(acme: PartnerWorld) -> None:
    source, target = acme.source.public_id, acme.target.public_id
    before = balance(acme, source), balance(acme, target)
    answer = acme.post(PATH, acme.internal(amount_minor=250, reference="rent"))
    assert (answer.status_code, answer.json()["state"]) == (201, "settled")
    assert answer["Location"] == f"{PATH}/{answer.json()['id']}"
    assert balance(acme, source)[0] == before[0][0] - 250
    assert balance(acme, target)[0] == before[1][0] + 250
    line = acme.get(f"/v1/accounts/{source}/postings?limit=1").json()["data"][0]
    assert (line["amount_minor"], line["transfer"]) == (-250, answer.json()["id"])
    assert acme.get(answer["Location"]).json() == answer.json()


def test_a_payout_reserves_its_money_and_frees_it_when_called_off(acme: PartnerWorld) -> None:
    source = acme.source.public_id
    posted, pending, available = balance(acme, source)
    made = acme.post(PATH, acme.payout(amount_minor=300)).json()
    assert made["state"] == "accepted"
    assert balance(acme, source) == (posted, pending + 300, available - 300)
    assert acme.post(f"{PATH}/{made['id']}/cancel").json()["state"] == "cancelled"
    assert balance(acme, source) == (posted, pending, available)


def test_a_large_payout_waits_for_a_second_person(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.payout(amount_minor=50_000)).json()
    assert made["state"] == "awaiting_approval"


def test_the_payee_is_never_shown_unmasked(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.payout())
    for answer in (made, acme.get(PATH), acme.get("/v1/events")):
        assert "Lovelace" not in answer.content.decode()
        assert "370400440532" not in answer.content.decode()


@pytest.mark.parametrize("scope", ["accounts:read", "transfers:read"])
def test_a_token_without_the_scope_may_not_ask(acme: PartnerWorld, scope: str) -> None:
    answer = acme.post(PATH, acme.internal(), token=acme.token(scope))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


@pytest.mark.parametrize("path", [PATH, "/v1/accounts", "/v1/events"])
def test_a_token_without_the_scope_may_not_read(acme: PartnerWorld, path: str) -> None:
    answer = acme.get(path, token=acme.token("transfers:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": "100"}, "amount_minor"),
    ({"amount_minor": 1.0}, "amount_minor"),
    ({"amount_minor": 1e2}, "amount_minor"),
    ({"amount_minor": True}, "amount_minor"),
    ({"amount_minor": None}, "amount_minor"),
    ({"amount_minor": 0}, "amount_minor"),
    ({"amount_minor": -1}, "amount_minor"),
    ({"amount_minor": 2**63}, "amount_minor"),
    ({"amount_minor": 10**40}, "amount_minor"),
    ({"amount_minor": [1]}, "amount_minor"),
    ({"amount_minor": float("nan")}, "amount_minor"),
    ({"amount_minor": float("inf")}, "amount_minor"),
    ({"currency": "XXX"}, "currency"),
    ({"currency": "eur"}, "currency"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": 978}, "currency"),
    ({"currency": "USD"}, "currency"),
    ({"currency": ""}, "currency"),
    ({"kind": "magic"}, "kind"),
    ({"kind": ["internal"]}, "kind"),
    ({"kind": None}, "kind"),
    ({"source_account": "trf_00000000000000000000000000"}, "source_account"),
    ({"source_account": "acc_short"}, "source_account"),
    ({"source_account": 5}, "source_account"),
    ({"source_account": "acc_0000000000000000000000000I"}, "source_account"),
    ({"destination": {"name": "A", "iban": "DE89370400440532013000"}}, "destination"),
    ({"reference": "x" * 141}, "reference"),
    ({"reference": 5}, "reference"),
    ({"reference": "a\nb"}, "reference"),
    ({"reference": "a\x00b"}, "reference"),
    ({"reference": "\ud800"}, "reference"),
    ({"reference": "\u202e1202"}, "reference"),
    ({"metadata": {"a": "\u2066a"}}, "metadata.a"),
    ({"metadata": {"a\u200f": "a"}}, "metadata.a\\u200f"),
    ({"metadata": []}, "metadata"),
    ({"metadata": {"a": 1}}, "metadata.a"),
    ({"metadata": {"a": {"b": "c"}}}, "metadata.a"),
    ({"metadata": {"a": "x" * 256}}, "metadata.a"),
    ({"metadata": {"k" * 41: "x"}}, f"metadata.{'k' * 41}"),
    ({"metadata": {"": "x"}}, "metadata"),
    ({"metadata": {str(n): "x" for n in range(21)}}, "metadata"),
    ({"surprise": 1}, "surprise"),
    ({"Amount_minor": 1}, "Amount_minor"),
    ({"\ud800": 1}, "\\ud800"),
]


@pytest.mark.parametrize(("changes", "name"), BAD_FIELDS, ids=lambda value: repr(value)[:40])
def test_a_wrong_field_is_named(acme: PartnerWorld, changes: dict[str, Any], name: str) -> None:
    answer = acme.post(PATH, acme.internal(**changes))
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] in {"invalid", "currency_mismatch"}
    assert name in answer.json()["fields"]


@pytest.mark.parametrize(
    ("payee", "name"),
    [
        ({"name": "A", "iban": "DE89370400440532013001"}, "destination.iban"),
        ({"name": "A", "iban": "DE89 3704 0044 0532 0130 00"}, "destination.iban"),
        ({"name": "A", "iban": "de89370400440532013000"}, "destination.iban"),
        ({"name": "A", "iban": 5}, "destination.iban"),
        ({"name": "A"}, "destination.iban"),
        ({"name": "", "iban": "DE89370400440532013000"}, "destination.name"),
        ({"name": "A" * 71, "iban": "DE89370400440532013000"}, "destination.name"),
        ({"name": "A", "iban": "DE89370400440532013000", "bic": "X"}, "destination.bic"),
        ("DE89370400440532013000", "destination"),
        (None, "destination"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_payee_is_named(acme: PartnerWorld, payee: Any, name: str) -> None:
    answer = acme.post(PATH, acme.payout(destination=payee))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


@pytest.mark.parametrize(
    ("missing", "kind"),
    [
        ("kind", "internal"),
        ("source_account", "internal"),
        ("amount_minor", "internal"),
        ("currency", "internal"),
        ("destination_account", "internal"),
        ("destination", "payout"),
    ],
)
def test_a_missing_field_is_named(acme: PartnerWorld, missing: str, kind: str) -> None:
    body = getattr(acme, kind)()
    del body[missing]
    answer = acme.post(PATH, body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [missing])


def test_several_wrong_fields_are_named_at_once(acme: PartnerWorld) -> None:
    answer = acme.post(PATH, acme.internal(amount_minor="1", currency="XXX", surprise=1))
    assert set(answer.json()["fields"]) == {"amount_minor", "currency", "surprise"}


def test_what_one_request_got_wrong_is_not_held_against_the_next(acme: PartnerWorld) -> None:
    wrong = acme.payout(amount_minor="1", destination={"name": ""}, metadata={"a": 1}, surprise=1)
    first = acme.post(PATH, wrong)
    assert acme.post(PATH, acme.payout()).status_code == 201
    assert acme.post(PATH, acme.internal()).json()["metadata"] == {}
    again = acme.post(PATH, wrong)
    assert (first.status_code, first.content) == (400, again.content)
    assert len(again.json()["fields"]) == 5


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", "amount_minor"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'"text"', "body"),
        (b"\xff\xfe{}", "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b"{}{}", "body"),
        (b"{'a': 1}", "body"),
        (b'{"kind": "internal", "kind": "payout"}', "kind"),
        (b'{"metadata": {"a": "1", "a": "2"}}', "metadata.a"),
        (b'{"amount_minor": NaN}', "amount_minor"),
        (b'{"amount_minor": -Infinity}', "amount_minor"),
        (b'{"amount_minor": 01}', "body"),
        (b'{"amount_minor": ' + b"9" * 5000 + b"}", "amount_minor"),
        (b'{"metadata": ' + b"[" * 20 + b"]" * 20 + b"}", "metadata" + "[0]" * 8),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json_that_is_not_exact_is_refused(acme: PartnerWorld, raw: bytes, name: str) -> None:
    answer = acme.post(PATH, raw, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert name in answer.json()["fields"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ],
)
def test_another_content_type_is_not_read(acme: PartnerWorld, kind: str) -> None:
    answer = acme.post(PATH, json.dumps(acme.internal()).encode(), content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_no_token_is_401_even_where_the_body_is_nonsense(acme: PartnerWorld) -> None:
    for body, kind in [(b"{", "application/json"), (b"x", "text/plain"), (b"", "")]:
        answer = acme.http.generic("POST", PATH, body, content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer \xff",
        "Basic YTpi",
        "bearer nonsense",
        "x" * 9000,
    ],
)
def test_a_bad_credential_is_401(acme: PartnerWorld, header: str) -> None:
    answer = acme.http.get("/v1/accounts", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_another_partners_ids_are_answered_like_unknown_ones(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    theirs = globex.post(PATH, globex.payout()).json()["id"]
    for path, own, unknown in [
        (f"{PATH}/%s", theirs, theirs[:-1] + ("0" if theirs[-1] != "0" else "1")),
        ("/v1/accounts/%s", globex.source.public_id, NOBODY),
        ("/v1/accounts/%s/postings", globex.source.public_id, NOBODY),
    ]:
        foreign, nobody = acme.get(path % own), acme.get(path % unknown)
        assert (foreign.status_code, nobody.status_code) == (404, 404)
        assert foreign.content.replace(own.encode(), b"") == nobody.content.replace(
            unknown.encode(), b""
        )
    assert acme.post(f"{PATH}/{theirs}/cancel").status_code == 404
    for field in ("source_account", "destination_account"):
        foreign = acme.post(PATH, acme.internal(**{field: globex.source.public_id}))
        unknown = acme.post(PATH, acme.internal(**{field: NOBODY}))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.json() | {"ref": ""} == unknown.json() | {"ref": ""}
        assert foreign.json()["ref"] == globex.source.public_id


@pytest.mark.parametrize("text", ["x", "acc_1", "%00", "%ff", "trf_" + "z" * 26, "a" * 3000])
def test_a_malformed_id_in_a_path_is_unknown(acme: PartnerWorld, text: str) -> None:
    for path in (f"{PATH}/{text}", f"/v1/accounts/{text}", f"/v1/accounts/{text}/postings"):
        assert acme.get(path).status_code == 404
    assert acme.post(f"{PATH}/{text}/cancel").status_code == 404


def test_no_funds_a_freeze_and_a_limit_are_conflicts_with_their_codes(acme: PartnerWorld) -> None:
    boss = FOUNDER.holding("transactions.freeze_account")
    with STAGE.as_role("migrator"):
        frozen, limited = (
            open_account(
                actor=FOUNDER,
                portfolio=acme.portfolio,
                name=name,
                currency="EUR",
                alias=f"{name}-{fresh_key()[:8]}",
            )
            for name in ("frozen", "limited")
        )
        factories.limit(limited, window=LimitWindow.TRANSFER, amount_max_minor=10)
    with STAGE.as_role("admin"):
        freeze_account(
            actor=boss,
            account_id=frozen.pk,
            mode=FreezeMode.DEBITS,
            reason="x",
            legal_reference="y",
        )
    for account, code in [
        (acme.target.public_id, "insufficient_funds"),
        (frozen.public_id, "account_frozen"),
        (limited.public_id, "limit_exceeded"),
    ]:
        body = acme.internal(
            source_account=account, destination_account=acme.source.public_id, amount_minor=10**12
        )
        answer = acme.post(PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["account"] == account
        assert answer.json()["type"] == f"/problems/{code}"
    shown = acme.get(f"/v1/accounts/{frozen.public_id}").json()
    assert (shown["status"], [item["mode"] for item in shown["freezes"]]) == ("frozen", ["debits"])


def test_pages_lead_through_everything_once(acme: PartnerWorld) -> None:
    made = [acme.post(PATH, acme.internal()).json()["id"] for _ in range(5)]
    for path, newest_first in [(PATH, True), ("/v1/accounts", False)]:
        whole = [row["id"] for row in acme.get(f"{path}?limit=100").json()["data"]]
        seen, cursor = [], ""
        while True:
            query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
            page = acme.get(f"{path}{query}").json()
            seen += [row["id"] for row in page["data"]]
            cursor = page["next_cursor"]
            assert page["has_more"] is (cursor is not None)
            if cursor is None:
                break
        assert seen == whole == sorted(whole, reverse=newest_first)
    assert set(made) <= {row["id"] for row in acme.get(f"{PATH}?limit=100").json()["data"]}


@pytest.mark.parametrize("path", [PATH, "/v1/accounts", "/v1/events"])
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=²", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "A" * 5000, "cursor"),
        ("offset=5", "offset"),
        ("%ff=5", "\\ufffd"),
    ],
)
def test_a_wrong_parameter_is_named(acme: PartnerWorld, path: str, query: str, name: str) -> None:
    answer = acme.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert name in answer.json()["fields"]


def test_a_feeds_cursor_is_not_a_lists(acme: PartnerWorld) -> None:
    cursor = acme.get("/v1/events?limit=1").json()["next_cursor"]
    assert acme.get(f"{PATH}?cursor={cursor}").status_code == 400
