"""Staff for tests: people made by the real commands, and ways to bring them through the door."""

import time
from dataclasses import dataclass
from uuid import UUID

import pyotp
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.roles import FOUNDER_GRANTS, Role
from accounts.services.staff import enrol_totp, invite_staff
from audit.actors import Actor, ActorKind
from config.sandbox.codes import code_of

PASSWORD = "a long enough pass phrase"
FOUNDER = Actor(
    kind=ActorKind.SYSTEM,
    id="console",
    label="Console",
    credential="none",
    grants=FOUNDER_GRANTS | {"accounts.disable_staff"},
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One invited person, with everything they know."""

    user_id: UUID
    email: str
    secret: str

    @property
    def user(self) -> User:
        """The login as it stands now."""
        return User.objects.get(pk=self.user_id)

    def code(self) -> str:
        """Return what the authenticator shows; the server forgets that it saw it before."""
        cache.clear()
        return code_of(self.secret)


def invite(*roles: Role, name: str = "Ada Okafor", enrolled: bool = True) -> Member:
    """Invite somebody. Wants a login that may: run it as the migrator."""
    email = f"{name.split(maxsplit=1)[0].lower()}@staff.example"
    user = invite_staff(
        actor=FOUNDER,
        name=name,
        email=email,
        password=PASSWORD,
        roles=frozenset(roles or {Role.COMPLIANCE_OFFICER}),
    )
    secret = pyotp.random_base32()
    if enrolled:
        enrol_totp(actor=FOUNDER, user_id=user.pk, secret=secret)
    return Member(user_id=user.pk, email=email, secret=secret)


def give_password(client: Client, member: Member, *, password: str = PASSWORD) -> str:
    """Take the first step; return where it leads, or '' where it is refused."""
    answer = client.post("/accounts/login/", {"login": member.email, "password": password})
    return str(answer.headers.get("Location", ""))


def sign_in(client: Client, member: Member) -> None:
    """Take both steps, as a browser would."""
    cache.clear()
    assert give_password(client, member) == "/accounts/2fa/authenticate/"
    answer = client.post("/accounts/2fa/authenticate/", {"code": member.code()})
    assert answer.status_code == 302, answer.content


def age_proofs(client: Client, *, seconds: float) -> None:
    """Make every proof in the session that old."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - seconds
    session.save()
