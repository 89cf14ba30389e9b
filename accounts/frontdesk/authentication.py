"""From a bearer token to an Actor: the one place where a partner's call becomes somebody."""

from ipaddress import ip_address, ip_network
from typing import Any, cast

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Token
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.frontdesk.errors import Unauthenticated
from accounts.models import ApiClient, User
from accounts.roles import scope_grants
from accounts.selectors.clients import client_of_token
from audit.actors import Actor, ActorKind
from audit.circumstances import current
from audit.errors import NotPermitted

TOKEN_CHARACTERS_MAX = 200


class ClientCredentialsAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`: live token, live client, live partner, allowed network."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        """Return the client's service user and its Actor; None without a bearer token."""
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if not token.isascii() or not token.isprintable() or len(token) > TOKEN_CHARACTERS_MAX:
            raise Unauthenticated(reason="invalid")
        found = client_of_token(get_adapter().hash_token(token))
        if found is None or not may_come_from(current().address, client=found[0]):
            raise Unauthenticated(reason="invalid")
        return found[0].service_user, _actor(*found)

    def authenticate_header(self, request: Request) -> str:
        """Return what makes DRF answer 401 instead of 403."""
        del request
        return 'Bearer realm="countersign"'


class IsKnown(BasePermission):
    """Lets authenticated callers through. What they may do is for commands to say."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse a call that carried no token."""
        del view
        if not isinstance(request.auth, Actor):
            raise Unauthenticated(reason="missing")
        return True


def actor_of(request: Request, *, may: str | None = None) -> Actor:
    """Return who is calling; NotPermitted unless their scopes open `may`, a permission to read."""
    actor = cast("Actor", request.auth)
    if may is not None and not actor.may(may):
        raise NotPermitted(permission=may)
    return actor


def may_come_from(address: str, *, client: ApiClient) -> bool:
    """Say whether the client may call from `address`; no networks listed means any."""
    if not client.networks:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in ip_network(network) for network in client.networks)


def _actor(client: ApiClient, token: Token, /) -> Actor:
    """Return the client as an Actor: its token's scopes, its partner's book."""
    return Actor(
        kind=ActorKind.PARTNER,
        id=str(client.account_key),
        label=f"{client.partner.name} / {client.name}",
        credential=f"oauth:{client.client_id}:{token.pk}",
        grants=scope_grants(frozenset(token.scopes.split("\n"))),
        partner_id=client.partner_id,
        book_id=client.partner.book_id,
    )
