"""Partners' OAuth clients: registered once, their secret shown once, and the token endpoint."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from django.db import connections
from django.test import Client

from accounts.frontdesk.errors import RateLimited
from accounts.frontdesk.throttles import Rate, spend
from accounts.models import ApiClient
from accounts.services.clients import register_client
from audit.errors import Invalid, NotFound
from audit.typeids import uuid7
from tests.conftest import STAGE
from tests.partners import FOUNDER, PartnerWorld, acme, fresh_key

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/oauth/token"


def ask(world: PartnerWorld, **changes: Any) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_id": world.client.client_id,
        "client_secret": world.client.secret,
    } | changes
    return world.http.post(PATH, {n: v for n, v in form.items() if v is not None})


def test_the_secret_is_random_hashed_and_shown_once(acme: PartnerWorld) -> None:
    stored = OAuthClient.objects.get(pk=acme.client.client_id).secret
    assert stored.startswith("client$")
    assert acme.client.secret not in stored
    assert len(base64.urlsafe_b64decode(acme.client.secret + "=")) == 32
    assert acme.client.secret not in repr(acme.client)


def test_the_service_user_can_never_sign_in(acme: PartnerWorld) -> None:
    user = ApiClient.objects.select_related("service_user").get(pk=acme.client.id).service_user
    assert not user.has_usable_password()
    assert not user.is_staff
    assert user.person_id is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"networks": ["home"]}, "networks"),
    ],
)
def test_a_bad_registration_is_refused(
    acme: PartnerWorld, changes: dict[str, Any], name: str
) -> None:
    good: dict[str, Any] = {
        "partner_id": acme.partner.pk,
        "name": "x",
        "scopes": ["accounts:read"],
    }
    with STAGE.as_role("migrator"), pytest.raises(Invalid) as refusal:
        register_client(actor=FOUNDER, **(good | changes))
    assert list(refusal.value.fields) == [name]


def test_a_client_of_nobody_is_refused(acme: PartnerWorld) -> None:
    del acme
    with STAGE.as_role("migrator"), pytest.raises(NotFound):
        register_client(actor=FOUNDER, partner_id=uuid7(), name="x", scopes=["accounts:read"])


def test_a_token_carries_the_scopes_asked_for(acme: PartnerWorld) -> None:
    answer = ask(acme, scope="accounts:read")
    assert (answer.status_code, answer.json()["scope"]) == (200, "accounts:read")
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert answer["Cache-Control"] == "no-store"
    assert set(ask(acme).json()["scope"].split()) == {
        "accounts:read",
        "holds:read",
        "holds:write",
        "transfers:read",
        "transfers:write",
    }


def test_credentials_may_stand_in_the_header(acme: PartnerWorld) -> None:
    pair = f"{acme.client.client_id}:{acme.client.secret}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    form = {"grant_type": "client_credentials"}
    assert acme.http.post(PATH, form, headers=headers).status_code == 200
    assert ask(acme, client_secret=None).status_code == 401
    both = acme.http.post(PATH, form | {"client_id": acme.client.client_id}, headers=headers)
    assert both.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "nul\x00"}, 401, "invalid_client"),
        ({"client_id": "x" * 5000}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"scope": "a\x00b"}, 400, "invalid_scope"),
        ({"scope": ["accounts:read", "transfers:read"]}, 400, "invalid_request"),
        ({"resource": "//"}, 400, "invalid_request"),
        ({"surprise": "1"}, 400, "invalid_request"),
    ],
)
def test_errors_are_those_of_rfc_6749(
    acme: PartnerWorld, changes: dict[str, Any], status: int, error: str
) -> None:
    answer = ask(acme, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer["Content-Type"] == "application/json"
    assert ("WWW-Authenticate" in answer) is (status == 401)


def test_a_form_is_needed_and_the_query_is_not_read(acme: PartnerWorld) -> None:
    as_json = acme.http.post(PATH, {"grant_type": "x"}, content_type="application/json")
    assert as_json.json()["error"] == "invalid_request"
    assert acme.http.post(f"{PATH}?grant_type=client_credentials").status_code == 400


def test_a_client_from_another_network_is_unknown(acme: PartnerWorld) -> None:
    with STAGE.as_role("migrator"):
        far = register_client(
            actor=FOUNDER,
            partner_id=acme.partner.pk,
            name="far",
            scopes=["accounts:read"],
            networks=["192.0.2.0/24"],
        )
    form = {"client_id": far.client_id, "client_secret": far.secret}
    assert ask(acme, **form).status_code == 401
    form |= {"grant_type": "client_credentials"}
    inside = acme.http.post(PATH, form, REMOTE_ADDR="192.0.2.7")
    assert inside.status_code == 200
    token = inside.json()["access_token"]
    assert acme.get("/v1/accounts", token=token).status_code == 401
    assert acme.get("/v1/accounts", token=token, REMOTE_ADDR="192.0.2.8").status_code == 200


def test_an_expired_token_is_no_token(acme: PartnerWorld) -> None:
    token = ask(acme).json()["access_token"]
    with STAGE.as_role("migrator"), connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE allauth_idp_oidc_token SET expires_at = now() - interval '1 second'"
        )
    acme._tokens.clear()
    assert acme.get("/v1/accounts", token=token).status_code == 401


def test_sixty_at_once_cannot_pass_a_limit_of_ten(acme: PartnerWorld) -> None:
    del acme
    rate, who = Rate(name="test", calls_max=10, window_seconds=3600), fresh_key()

    def knock(_: int) -> bool:
        try:
            spend(rate, who=who)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(60) as pool:
        assert sum(pool.map(knock, range(60))) == 10


def spoof(turn: int) -> dict[str, str]:
    """Return a header that claims another address each time."""
    return {"X-Forwarded-For": f"198.51.100.{turn}"}


def test_a_client_that_asks_too_often_is_told_to_wait(acme: PartnerWorld) -> None:
    form = {"grant_type": "client_credentials", "client_id": "guess", "client_secret": "guess"}
    answers = [
        Client().post(PATH, form, headers=spoof(turn), REMOTE_ADDR="203.0.113.9")
        for turn in range(62)
    ]
    said = [answer.status_code for answer in answers]
    assert said.count(429) >= 2  # the sixty-two may fall into two windows
    late = next(answer for answer in answers if answer.status_code == 429)
    assert late.json()["code"] == "rate_limited"
    assert 1 <= int(late["Retry-After"]) <= 60
