"""Reading API clients: who a token speaks for, and whether it still may."""

from uuid import UUID

from allauth.idp.oidc.models import Client, Token
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiClient, Partner
from audit.errors import NotFound


def live_clients() -> QuerySet[ApiClient]:
    """Return the clients that may speak at this moment, each with its partner and service user."""
    return ApiClient.objects.select_related("partner", "service_user").filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
        is_active=True,
        partner__is_active=True,
        service_user__is_active=True,
    )


def client_of_token(token_hash: str) -> tuple[ApiClient, Token] | None:
    """Return an access token that is valid now, and the live client it was given to.

    Two plain queries by unique keys: one with subqueries took twice as long to build and run.
    """
    token = (
        Token.objects.valid()
        .filter(
            type=Token.Type.ACCESS_TOKEN,
            hash=token_hash,
            user__isnull=True,
            client__type=Client.Type.CONFIDENTIAL,
        )
        .first()
    )
    client = live_client_named(token.client_id) if token else None
    return (client, token) if client else None


def live_client_named(client_id: str) -> ApiClient | None:
    """Return the live client that the OAuth provider knows as `client_id`."""
    return live_clients().filter(client_id=client_id).first()


def access_client(client_id: UUID, *, partner: Partner) -> ApiClient:
    """Return one of a partner's clients, or refuse."""
    client = ApiClient.objects.filter(pk=client_id, partner=partner).first()
    if client is None:
        raise NotFound(ref=f"apiclient:{client_id}")
    return client


def access_partner(partner_id: UUID) -> Partner:
    """Return a partner, locked until the transaction ends, or refuse."""
    found = Partner.objects.select_for_update(no_key=True, of=("self",)).filter(pk=partner_id)
    partner = found.first()
    if partner is None:
        raise NotFound(ref=f"partner:{partner_id}")
    return partner
