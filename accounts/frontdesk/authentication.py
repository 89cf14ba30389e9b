"""From a bearer token to an Actor: the one place where a partner's call becomes somebody."""

from collections.abc import Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, cast

from allauth.idp.oidc.adapter import DefaultOIDCAdapter, get_adapter
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.frontdesk.errors import Unauthenticated
from accounts.roles import scope_grants
from accounts.selectors.clients import Speaker, speaker_of_token
from audit.actors import Actor, ActorKind
from audit.circumstances import current
from audit.errors import NotPermitted

TOKEN_CHARACTERS_MAX = 200


class ClientCredentialsAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`: live token, live client, live partner, allowed network."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        """Return the client as an Actor, user and credential in one; None without a token."""
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if not token.isascii() or not token.isprintable() or len(token) > TOKEN_CHARACTERS_MAX:
            raise Unauthenticated(reason="invalid")
        speaker = speaker_of_token(_issuer().hash_token(token))
        if speaker is None or not may_come_from(current().address, networks=speaker.networks):
            raise Unauthenticated(reason="invalid")
        actor = _actor(speaker)
        return actor, actor

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


def may_come_from(address: str, *, networks: Sequence[str]) -> bool:
    """Say whether a client with these networks may call from `address`; none listed means any."""
    if not networks:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in ip_network(network) for network in networks)


@cache
def _issuer() -> DefaultOIDCAdapter:
    """Return what knows how tokens are kept; it holds nothing of the request it was made in."""
    adapter = get_adapter()
    adapter.request = None
    return adapter


def _actor(speaker: Speaker) -> Actor:
    """Return the client as an Actor: its token's scopes, its partner's book."""
    return Actor(
        kind=ActorKind.PARTNER,
        id=str(speaker.account_id),
        label=f"{speaker.partner_name} / {speaker.client_name}",
        credential=f"oauth:{speaker.client_key}:{speaker.token_id}",
        grants=scope_grants(speaker.scopes),
        partner_id=speaker.partner_id,
        book_id=speaker.book_id,
    )
