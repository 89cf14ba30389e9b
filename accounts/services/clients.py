"""Commands about partners' API clients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password

from accounts.models import ApiClient, User
from accounts.roles import SCOPES
from accounts.selectors.clients import access_client, access_partner
from audit.actors import Actor
from audit.commands import command
from audit.errors import Invalid
from audit.services.recording import record
from audit.typeids import typeid, uuid7

NAME_CHARACTERS_MAX: Final = 80
SECRET_HASHER: Final = "client"  # noqa: S105 - the name of an algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A new client and its secret, which is shown this once and stored nowhere."""

    id: UUID
    client_id: str
    secret: str = field(repr=False)


@command
def register_client(
    *,
    actor: Actor,
    partner_id: UUID,
    name: str,
    scopes: Sequence[str],
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
    beside: UUID | None = None,
) -> RegisteredClient:
    """Give a partner an OAuth client with a service user of its own. NotFound, Invalid.

    `networks` (CIDR) are the only places it may call from; none means any. `beside` is a client
    whose secret is being rotated: the new one is of the same account, and shares its keys.
    """
    _check_form(name, scopes=scopes, networks=networks)
    partner = access_partner(partner_id)
    secret: str = get_adapter().generate_client_secret()
    oauth = _oauth_client(name, scopes=scopes, secret=secret)
    user = _service_user(oauth.pk)
    account = access_client(beside, partner=partner).account_key if beside else None
    client = ApiClient.objects.create(
        partner=partner,
        account_id=account,
        service_user=user,
        client_id=oauth.pk,
        name=name,
        networks=list(networks),
        expires_at=expires_at,
    )
    record(
        "api_client.registered",
        actor=actor,
        target=client,
        facts={"partner": typeid("par", partner.pk), "scopes": sorted(scopes)},
        rows=[user, client],
        book_id=partner.book_id,
    )
    return RegisteredClient(id=client.pk, client_id=oauth.pk, secret=secret)


def _check_form(name: str, *, scopes: Sequence[str], networks: Sequence[str]) -> None:
    """Refuse a name of no or too many characters, unknown scopes, and what is not a network."""
    problems: dict[str, str] = {}
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        problems["name"] = f"must have 1 to {NAME_CHARACTERS_MAX} characters"
    if not scopes or not set(scopes) <= set(SCOPES):
        problems["scopes"] = f"must be some of {', '.join(SCOPES)}"
    try:
        for network in networks:
            ip_network(network)
    except ValueError:
        problems["networks"] = "must be networks such as 192.0.2.0/24"
    if problems:
        raise Invalid(fields=problems)


def _oauth_client(name: str, *, scopes: Sequence[str], secret: str) -> Client:
    """Register a confidential client that can do nothing but ask for its own tokens."""
    granted = "\n".join(sorted(scopes))
    return Client.objects.create(
        id=get_adapter().generate_client_id(),
        name=name,
        secret=make_password(secret, hasher=SECRET_HASHER),
        type=Client.Type.CONFIDENTIAL,
        grant_types=Client.GrantType.CLIENT_CREDENTIALS,
        scopes=granted,
        default_scopes=granted,
        response_types="",
    )


def _service_user(client_id: str) -> User:
    """Make the login that grants are given to: no person, no staff, no password that fits."""
    user = User(id=uuid7(), email=f"{client_id}@clients.invalid", is_staff=False)
    user.set_unusable_password()
    user.save(force_insert=True)
    return user
