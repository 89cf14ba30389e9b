"""Transfers over the partner API: asked for, followed, called off, and got wrong every way."""

import pytest

from accounts.states import FreezeMode
from tests import factories
from tests.conftest import STAGE
from tests.partners import FOUNDER, PartnerWorld, acme, fresh_key, globex
from transactions.services.books import set_up_account
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
            set_up_account(
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
