"""Commands about the people who work here: invite, enrol a second factor, disable."""

from typing import Final
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.errors import AlreadyEnrolled, ConflictingRoles, EmailTaken
from accounts.models import Person, RoleGrant, User
from accounts.roles import CONFLICTS, Role
from accounts.selectors.staff import access_staff
from audit.actors import Actor
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record

NAME_CHARACTERS_MAX: Final = 120


@command
def invite_staff(
    *, actor: Actor, name: str, email: str, password: str, roles: frozenset[Role]
) -> User:
    """Create a person, their login with a proven address, and the roles they hold.

    Refuses with Invalid (name, email or password), ConflictingRoles, EmailTaken.
    """
    email = email.strip().lower()
    _check_form(name, email=email, password=password)
    _check_roles(roles)
    person = Person.objects.create(name=name)
    taken = EmailTaken(email=email)
    with refuse_on({"user_email_once": taken, "accounts_user_email_key": taken}):
        user = User.objects.create_user(email, password, is_staff=True, person=person)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    grants = [
        RoleGrant.objects.create(user=user, role=role.value, granted_by=actor.ref)
        for role in sorted(roles)
    ]
    record(
        "staff.invited",
        actor=actor,
        target=user,
        facts={"roles": sorted(role.value for role in roles)},
        rows=[person, user, *grants],
    )
    return user


@command
def enrol_totp(*, actor: Actor, user_id: UUID, secret: str) -> Authenticator:
    """Give a login the authenticator app that holds `secret` (base 32), its first one.

    Refuses with NotFound, AlreadyEnrolled.
    """
    user = access_staff(user_id)
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        raise AlreadyEnrolled(ref=user.audit_ref)
    enrolled = Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": secret}
    )
    record("authenticator.enrolled", actor=actor, target=user, facts={"type": "totp"})
    return enrolled


@command
def disable_staff(*, actor: Actor, user_id: UUID, reason: str) -> User:
    """Close a login at once: it can sign in no more, and its sessions end here.

    Refuses with NotFound. A login that is closed already stays closed.
    """
    user = access_staff(user_id)
    user.is_active = False
    user.save(update_fields=["is_active"])
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    record(
        "staff.disabled",
        actor=actor,
        target=user,
        facts={"reason": reason, "sessions_ended": len(sessions)},
        rows=[user],
    )
    return user


def _check_form(name: str, *, email: str, password: str) -> None:
    """Refuse a name, an address or a password that no person should have."""
    wrong: dict[str, str] = {}
    if not 0 < len(name.strip()) <= NAME_CHARACTERS_MAX:
        wrong["name"] = f"between 1 and {NAME_CHARACTERS_MAX} characters"
    try:
        validate_email(email)
    except ValidationError as error:
        wrong["email"] = " ".join(error.messages)
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        wrong["password"] = " ".join(error.messages)
    if wrong:
        raise Invalid(fields=wrong)


def _check_roles(roles: frozenset[Role]) -> None:
    """Refuse roles that one person must not hold together, and no role at all."""
    if not roles:
        raise Invalid(fields={"roles": "at least one"})
    for pair in CONFLICTS:
        if pair <= roles:
            raise ConflictingRoles(roles=sorted(role.value for role in pair))
