"""Partners for tests: made by the real commands, funded by real money in, calling over HTTP."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Account, Partner, Portfolio
from accounts.roles import FOUNDER_GRANTS, PROVIDER_GRANTS, SCOPES
from accounts.services.clients import RegisteredClient, register_client
from accounts.services.partners import onboard_partner, open_portfolio
from audit.actors import Actor, ActorKind
from tests.conftest import STAGE
from tests.factories import Cast, speaker
from transactions.meanings import Movement, MovementKind
from transactions.services.books import open_book, set_up_account
from transactions.services.movements import book_movement

IBAN = "DE89370400440532013000"
FUNDS_MINOR = 1_000_000
FOUNDER = Actor(
    kind=ActorKind.SYSTEM, id="console", label="Console", credential="none", grants=FOUNDER_GRANTS
)
PROVIDER = Actor(
    kind=ActorKind.PROVIDER,
    id="stripe",
    label="Stripe",
    credential="none",
    grants=PROVIDER_GRANTS,
)


@dataclass(kw_only=True)
class PartnerWorld:
    """One partner with two funded accounts in EUR and a client that may do everything."""

    partner: Partner
    portfolio: Portfolio
    source: Account
    target: Account
    client: RegisteredClient
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, scope: str = " ".join(SCOPES)) -> str:
        """Return an access token, asked for once."""
        if scope not in self._tokens:
            answer = self.http.post(
                "/v1/oauth/token",
                {
                    "grant_type": "client_credentials",
                    "scope": scope,
                    "client_id": self.client.client_id,
                    "client_secret": self.client.secret,
                },
            )
            assert answer.status_code == 200, answer.content
            self._tokens[scope] = answer.json()["access_token"]
        return self._tokens[scope]

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send one request as this partner."""
        headers = {"Authorization": f"Bearer {options.pop('token', None) or self.token()}"}
        headers |= options.pop("headers", {})
        body = options.pop("body", None)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        kind = options.pop("content_type", "application/json" if body is not None else "")
        return self.http.generic(method, path, data, content_type=kind, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """Read something."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, *, key: str | None = "", **options: Any) -> Any:
        """Ask for something, under a fresh key unless one is given; None sends none."""
        headers = {} if key is None else {"Idempotency-Key": key or fresh_key()}
        headers |= options.pop("headers", {})
        return self.call("POST", path, body=body, headers=headers, **options)

    def internal(self, **changes: Any) -> dict[str, Any]:
        """Return a good internal transfer of one euro, with `changes`."""
        return {
            "kind": "internal",
            "source_account": self.source.public_id,
            "destination_account": self.target.public_id,
            "amount_minor": 100,
            "currency": "EUR",
        } | changes

    def payout(self, **changes: Any) -> dict[str, Any]:
        """Return a good payout of one euro, with `changes`."""
        return {
            "kind": "payout",
            "source_account": self.source.public_id,
            "destination": {"name": "Ada Lovelace", "iban": IBAN},
            "amount_minor": 100,
            "currency": "EUR",
        } | changes

    def hold(self, **changes: Any) -> dict[str, Any]:
        """Return a good hold of ten euros for a day, with `changes`."""
        return {
            "source_account": self.source.public_id,
            "destination_account": self.target.public_id,
            "amount_minor": 1_000,
            "currency": "EUR",
            "expires_at": (timezone.now() + timedelta(days=1)).isoformat(),
        } | changes


def company_of(world: PartnerWorld) -> Cast:
    """Return a partner as the factories know one."""
    return Cast(
        partner=world.partner,
        portfolio=world.portfolio,
        actor=speaker(world.partner),
        giver=world.source,
        taker=world.target,
    )


def fresh_key() -> str:
    """Return a key nobody used."""
    return str(uuid.uuid4())


def make_partner(slug: str, *, threshold_minor: int = 50_000) -> PartnerWorld:
    """Make a partner by commands, as the migrator; it is funded by one charge."""
    name = f"{slug}-{uuid.uuid4().hex[:8]}"
    partner = onboard_partner(
        actor=FOUNDER, name=name.title(), slug=name, approval_threshold_minor=threshold_minor
    )
    open_book(actor=FOUNDER, partner=partner)
    portfolio = open_portfolio(actor=FOUNDER, partner=partner, name="Main")
    source, target = (
        set_up_account(
            actor=FOUNDER, portfolio=portfolio, name=word, currency="EUR", alias=f"{name}-{word}"
        )
        for word in ("source", "target")
    )
    fund(source, amount_minor=FUNDS_MINOR)
    client = register_client(
        actor=FOUNDER, partner_id=partner.pk, name="Backend", scopes=list(SCOPES)
    )
    return PartnerWorld(
        partner=partner, portfolio=portfolio, source=source, target=target, client=client
    )


def fund(account: Account, *, amount_minor: int) -> None:
    """Bring money in from a provider."""
    book_movement(
        actor=PROVIDER,
        movement=Movement(
            provider="stripe",
            reference=f"txn_{uuid.uuid4().hex}",
            kind=MovementKind.CHARGE,
            amount_minor=amount_minor,
            fee_minor=0,
            currency=account.currency,
            occurred_at=timezone.now(),
            payment_ref=f"ch_{uuid.uuid4().hex}",
            subject_ref="charge",
            account_id=account.pk,
        ),
    )


@contextmanager
def committed_world(blocker: DjangoDbBlocker, *, role: str) -> Iterator[PartnerWorld]:
    """Let a whole module work with real commits on one partner, and clear the stage after it."""
    with blocker.unblock():
        with STAGE.as_role("migrator"):
            world = make_partner("acme")
        STAGE.enter(role)
        yield world
        STAGE.reclone()


@pytest.fixture(scope="module")
def acme(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[PartnerWorld]:
    """A partner that lives as long as the module, with everything really committed."""
    with committed_world(django_db_blocker, role="api") as world:
        yield world


@pytest.fixture(scope="module")
def globex(acme: PartnerWorld) -> PartnerWorld:
    """Another partner."""
    del acme
    with STAGE.as_role("migrator"):
        return make_partner("globex")
