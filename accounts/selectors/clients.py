"""Reading API clients: who a token speaks for, and whether it still may."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A live client that showed a valid access token, its partner, and the token's scopes.

    `account_id` is the same for a client and the one that replaces it.
    """

    account_id: UUID
    client_name: str
    client_key: str
    networks: tuple[str, ...]
    partner_id: UUID
    partner_name: str
    book_id: UUID
    token_id: int
    scopes: frozenset[str]


def speaker_of_token(token_hash: str) -> Speaker | None:
    """Return who speaks with an access token that is valid now; one statement, for every call."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM api_speaker(%s)", [token_hash])
        row = cursor.fetchone()
    if row is None:
        return None
    account_id, client_name, client_key, networks, partner_id, partner_name, book_id, *token = row
    token_id, scopes = token
    return Speaker(
        account_id=account_id,
        client_name=client_name,
        client_key=client_key,
        networks=tuple(json.loads(networks)),
        partner_id=partner_id,
        partner_name=partner_name,
        book_id=book_id,
        token_id=token_id,
        scopes=frozenset(scopes.split("\n")),
    )


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
