"""The second factor cannot be skipped, weakened, borrowed or outlived."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.crypto.codec import Tampered
from accounts.frontdesk.adapters_account import StaffAccountAdapter
from accounts.frontdesk.adapters_mfa import StaffMFAAdapter
from accounts.frontdesk.second_factor import step_up
from accounts.frontdesk.sessions import SessionStore
from accounts.frontdesk.staff import officer
from accounts.services.staff import disable_staff
from audit.models import Entry
from config.csp import EXCEPTIONS, policy
from tests.staff import FOUNDER, PASSWORD, Member, age_proofs, give_password, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

AsRole = Callable[[str], AbstractContextManager[None]]


def request_of(client: Client, member: Member) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.session, request.user = client.session, member.user
    return request


@step_up
def grave_act(request: HttpRequest) -> HttpResponse:
    del request
    return HttpResponse("done")


def test_a_password_proves_nothing_where_there_is_a_second_factor(
    client: Client, ada: Member
) -> None:
    sign_in(client, ada)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert answer.headers["Location"] == "/accounts/2fa/reauthenticate/"
    assert not StaffAccountAdapter().reauthenticate(ada.user, PASSWORD)
    assert "staff.stepped_up" not in Entry.objects.values_list("action", flat=True)


def test_the_last_authenticator_stays(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    client.post("/accounts/2fa/totp/deactivate/")

    kept = Authenticator.objects.get(user_id=ada.user_id)
    assert not StaffMFAAdapter().can_delete_authenticator(kept)


def test_a_grave_act_wants_a_code_of_the_last_five_minutes(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    assert grave_act(request_of(client, ada)).content == b"done"

    age_proofs(client, seconds=301)
    answer = grave_act(request_of(client, ada))
    assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/?next=")

    client.post("/accounts/2fa/reauthenticate/", {"code": ada.code()})
    assert grave_act(request_of(client, ada)).content == b"done"
    assert Entry.objects.filter(action="staff.stepped_up").count() == 1


def test_the_password_page_wants_a_fresh_code(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    age_proofs(client, seconds=301)

    answer = client.get("/accounts/password/change/")
    assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_a_recovery_code_signs_in_and_steps_nobody_up(client: Client, ada: Member) -> None:
    code = RecoveryCodes.activate(ada.user).get_unused_codes()[0]
    give_password(client, ada)
    client.post("/accounts/2fa/authenticate/", {"code": code})

    assert client.get("/admin/").status_code == 200
    assert grave_act(request_of(client, ada)).status_code == 302


def test_a_working_day_ends_the_proof(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    age_proofs(client, seconds=12 * 3600 + 1)

    assert (
        client.get("/admin/", follow=True).request["PATH_INFO"] == "/accounts/2fa/reauthenticate/"
    )
    assert not officer(request_of(client, ada)).grants


def test_an_authenticator_removed_elsewhere_closes_the_gate(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    Authenticator.objects.filter(user_id=ada.user_id).delete()

    assert client.get("/admin/").status_code == 302
    assert not officer(request_of(client, ada)).grants


def test_a_seed_copied_to_another_person_is_refused(ada: Member, eve: Member) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
            " SELECT %s, type, data, now() FROM mfa_authenticator WHERE user_id = %s",
            [eve.user_id, ada.user_id],
        )

    with pytest.raises(Tampered):
        Authenticator.objects.get(user_id=eve.user_id)


def test_a_seed_is_sealed_at_rest_and_read_back(ada: Member) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        (stored,) = cursor.fetchone()

    assert ada.secret not in stored
    read = Authenticator.objects.get(user_id=ada.user_id)
    assert read.data["secret"] == ada.secret
    read.save()
    assert read.data["secret"] == ada.secret


def test_a_session_under_another_key_is_empty(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    row = client.session._get_session_from_db()  # type: ignore[attr-defined]

    assert SessionStore(row.session_key).decode(row.session_data)
    assert SessionStore("x" * 32).decode(row.session_data) == {}
    assert SessionStore(row.session_key).decode("not ours") == {}


def test_fifteen_idle_minutes_end_a_session(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    assert client.session.get_expiry_age() == 15 * 60
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_session SET expire_date = now() - interval '1 second'")

    assert client.get("/admin/", follow=True).request["PATH_INFO"] == "/accounts/login/"


def test_disabling_ends_sessions_at_once(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    key = client.session.session_key
    assert key

    disable_staff(actor=FOUNDER, user_id=ada.user_id, reason="left the company")

    assert not SessionStore().exists(key)
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == "/accounts/login/"
    cache.clear()
    assert give_password(client, ada) == ""
    assert b'sessions_ended":1' in bytes(Entry.objects.get(action="staff.disabled").body)


def test_an_officer_holds_what_the_roles_say(client: Client, ada: Member) -> None:
    sign_in(client, ada)
    actor = officer(request_of(client, ada))

    assert actor.may("accounts.decide_approval")
    assert not actor.may("transactions.request_transfer")
    assert actor.person_id == ada.user.person_id
    assert actor.label == ada.email
    assert str(client.session.session_key) not in actor.credential


def test_strangers_are_no_officers(client: Client) -> None:
    request = RequestFactory().get("/admin/")
    request.session, request.user = client.session, AnonymousUser()
    with pytest.raises(PermissionDenied):
        officer(request)


def test_the_pages_that_take_secrets_have_no_exception_to_the_policy(client: Client) -> None:
    strict = client.get("/accounts/login/").headers["Content-Security-Policy"]

    assert "unsafe" not in strict
    assert "frame-ancestors 'none'" in strict
    inside = policy("/admin/")
    for source, reason in EXCEPTIONS.values():
        inside = inside.replace(f" {source}", "")
        assert reason
    assert inside == strict
