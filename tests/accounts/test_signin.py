"""The front door: who comes in, who does not, and what is written down about it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import User
from audit.models import Entry
from config.sandbox.codes import code_of
from tests.staff import PASSWORD, Member, give_password, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
AsRole = Callable[[str], AbstractContextManager[None]]


def actions() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("action", flat=True))


def test_password_and_code_lead_home_and_are_written_down(client: Client, ada: Member) -> None:
    sign_in(client, ada)

    home = client.get("/", follow=True)
    assert home.request["PATH_INFO"] == "/admin/"
    assert b"Waiting for approval" in home.content
    entry = Entry.objects.get(action="staff.signed_in")
    assert entry.actor_ref == f"staff:{ada.user_id}"
    assert b'"methods":["password","totp"]' in bytes(entry.body)
    assert b"session:" in bytes(entry.body)


def test_the_password_alone_opens_nothing(client: Client, ada: Member) -> None:
    assert give_password(client, ada) == CODE

    for path in ("/admin/", "/admin/search/?s=x", "/accounts/2fa/", "/accounts/password/change/"):
        assert client.get(path, follow=True).request["PATH_INFO"] == CODE
    assert "staff.signed_in" not in actions()


def test_a_wrong_code_is_refused_and_written_down(client: Client, ada: Member) -> None:
    give_password(client, ada)
    wrong = f"{(int(ada.code()) + 1) % 10**6:06d}"

    answer = client.post(CODE, {"code": wrong})

    assert b"Incorrect code" in answer.content
    assert b'"step":"second factor"' in bytes(
        Entry.objects.get(action="staff.sign_in_failed").body
    )


def test_wrong_codes_stop_after_five_even_if_the_sixth_is_right(
    client: Client, ada: Member
) -> None:
    right = ada.code()
    give_password(client, ada)
    for _ in range(5):
        client.post(CODE, {"code": f"{(int(right) + 1) % 10**6:06d}"})

    answer = client.post(CODE, {"code": right})

    assert answer.status_code == 200
    assert b"Too many failed" in answer.content


def test_a_code_counts_once(ada: Member) -> None:
    code = ada.code()
    first, second = Client(), Client()
    give_password(first, ada)
    give_password(second, ada)

    assert first.post(CODE, {"code": code}).status_code == 302
    assert second.post(CODE, {"code": code}).status_code == 200


def test_a_newcomer_enrols_before_anything_else(client: Client, eve: Member) -> None:
    give_password(client, eve)

    door = client.get("/admin/", follow=True)
    assert door.request["PATH_INFO"] == "/accounts/reauthenticate/"
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    assert secret.encode() in page.content
    assert not _stored(secret)

    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})

    assert client.get("/admin/").status_code == 200
    assert not _stored(secret)
    assert actions().count("authenticator.added") == 2  # the app and the recovery codes


def test_ten_failures_lock_this_address_and_no_other(client: Client, ada: Member) -> None:
    for _ in range(9):
        assert give_password(client, ada, password="wrong") == ""
    tenth = client.post(LOGIN, {"login": ada.email.upper(), "password": "wrong"})
    right = client.post(LOGIN, {"login": ada.email, "password": PASSWORD})

    assert (tenth.status_code, right.status_code) == (429, 429)
    assert b"locked" in right.content
    assert give_password(Client(REMOTE_ADDR="192.0.2.7"), ada) == CODE
    assert actions().count("staff.sign_in_failed") == 9
    assert actions().count("staff.locked_out") == 1


def test_a_lock_for_one_person_is_none_for_the_next_at_the_same_address(
    client: Client, ada: Member, eve: Member
) -> None:
    for _ in range(11):
        give_password(client, ada, password="wrong")

    assert give_password(Client(), eve) == "/"


def test_a_lock_lasts_thirty_minutes(client: Client, ada: Member, as_role: AsRole) -> None:
    for _ in range(10):
        give_password(client, ada, password="wrong")
    cache.clear()

    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE axes_accessattempt SET attempt_time = now() - interval '29 minutes'"
        )
    assert client.post(LOGIN, {"login": ada.email, "password": PASSWORD}).status_code == 429
    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE axes_accessattempt SET attempt_time = now() - interval '31 minutes'"
        )
    assert give_password(client, ada) == CODE


def test_at_most_ten_failures_a_minute_are_written_down(ada: Member) -> None:
    for number in range(13):
        give_password(Client(REMOTE_ADDR=f"192.0.2.{number}"), ada, password="wrong")

    failed = Entry.objects.filter(action="staff.sign_in_failed").order_by("id")
    assert failed.count() == 10
    assert b'"more"' in bytes(failed.last().body)  # type: ignore[union-attr]


def test_strangers_leave_no_entry(client: Client, ada: Member) -> None:
    before = Entry.objects.count()
    answer = client.post(LOGIN, {"login": "nobody@staff.example", "password": PASSWORD})

    assert answer.status_code == 200
    assert Entry.objects.count() == before


def test_a_service_user_never_signs_in(client: Client, ada: Member, as_role: AsRole) -> None:
    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER USER")
        User.objects.filter(pk=ada.user_id).update(is_staff=False)

    assert give_password(client, ada) == ""


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/password/reset/",
        "/accounts/password/set/",
        "/accounts/confirm-email/",
        "/accounts/login/code/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/trust/",
        "/accounts/2fa/recovery-codes/download/",
        "/accounts/social/connections/",
    ],
)
def test_what_nobody_needs_is_not_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_nobody_signs_up(client: Client, ada: Member) -> None:
    form = {"email": "x@staff.example", "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/accounts/signup/", form)

    assert b"People are invited here" in answer.content
    assert not User.objects.filter(email="x@staff.example").exists()


def test_leaving_is_written_down_and_ends_the_session(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    client.post("/admin/logout/")

    assert client.get("/admin/").status_code == 302
    assert "staff.signed_out" in actions()


def test_the_door_leads_on_to_our_own_pages_only(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    for wanted in ("https://evil.example/", "//evil.example/", "/accounts/logout/"):
        answer = client.get("/admin/login/", {"next": wanted})
        assert answer.headers["Location"] == "/admin/"


def _stored(secret: str) -> bool:
    """Say whether a secret can be read anywhere in the database's sign-in tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT session_data FROM django_session"
            " UNION ALL SELECT data::text FROM mfa_authenticator"
        )
        return any(secret in row[0] for row in cursor.fetchall())
