"""Inviting, enrolling and disabling people."""

import pyotp
import pytest
from allauth.account.models import EmailAddress

from accounts.errors import AlreadyEnrolled, ConflictingRoles, EmailTaken
from accounts.models import RoleGrant, User
from accounts.roles import CONFLICTS, Role
from accounts.selectors.staff import grants_held
from accounts.services.staff import disable_staff, enrol_totp, invite_staff
from audit.errors import Invalid, NotFound, NotPermitted
from audit.models import Entry, Touch
from audit.typeids import uuid7
from tests.staff import FOUNDER, PASSWORD, Member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("migrator")]


def spelled(pair: frozenset[Role]) -> str:
    return "+".join(sorted(pair))


PAIRS: list[frozenset[Role]] = sorted(CONFLICTS, key=spelled)


def invited(email: str = "new@staff.example", *roles: Role, password: str = PASSWORD) -> User:
    held = frozenset(roles or {Role.AUDITOR})
    return invite_staff(actor=FOUNDER, name="New", email=email, password=password, roles=held)


def test_an_invitation_makes_a_person_a_login_and_their_roles() -> None:
    user = invited("New@Staff.Example", Role.SUPPORT_AGENT)

    assert user.email == "new@staff.example"
    assert user.is_staff
    assert not user.is_superuser
    assert EmailAddress.objects.get(user=user).verified
    assert RoleGrant.objects.get(user=user).granted_by == "system:console"
    entry = Entry.objects.get(action="staff.invited")
    touched = set(Touch.objects.filter(entry_id=entry.pk).values_list("table_name", flat=True))
    assert touched == {"accounts_person", "accounts_user", "accounts_rolegrant"}
    assert b"argon2" not in bytes(entry.body)
    assert b"md5" not in bytes(entry.body)


@pytest.mark.parametrize("pair", PAIRS, ids=spelled)
def test_conflicting_roles_are_refused(pair: frozenset[Role]) -> None:
    with pytest.raises(ConflictingRoles):
        invited("new@staff.example", *pair)

    assert not User.objects.exists()
    assert Entry.objects.get().outcome == "refused"


def test_an_address_is_one_persons(ada: Member) -> None:
    with pytest.raises(EmailTaken):
        invited(ada.email.upper())


@pytest.mark.parametrize(
    "password", ["short", "123456789012345", "qwertyuiop123", "new@staff.example"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        invited(password=password)
    assert "password" in refused.value.fields


def test_only_the_console_invites() -> None:
    nobody = FOUNDER.__class__(
        kind=FOUNDER.kind, id="x", label="x", credential="none", grants=frozenset()
    )
    with pytest.raises(NotPermitted):
        invite_staff(
            actor=nobody, name="N", email="n@x.example", password=PASSWORD, roles=frozenset()
        )


def test_one_authenticator_a_person(ada: Member) -> None:
    with pytest.raises(AlreadyEnrolled):
        enrol_totp(actor=FOUNDER, user_id=ada.user_id, secret=pyotp.random_base32())


def test_a_disabled_person_holds_nothing(ada: Member) -> None:
    assert grants_held(ada.user_id)
    disable_staff(actor=FOUNDER, user_id=ada.user_id, reason="left")

    assert not grants_held(ada.user_id)
    with pytest.raises(NotFound):
        disable_staff(actor=FOUNDER, user_id=uuid7(), reason="nobody")
