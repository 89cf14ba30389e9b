"""The demo world, made by commands alone: who works here, two partners, and ninety days of theirs.

`load` fills an empty house and returns what scripts and people need to sign in. Secrets are drawn
afresh and shown this once: `config.sandbox.prepare` writes them down.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import pyotp
from django.utils import timezone

from accounts.models import Account, Customer, Portfolio, User
from accounts.roles import SCOPES, Role, grants_of
from accounts.services.clients import register_client
from accounts.services.grants import grant_portfolio
from accounts.services.partners import onboard_partner, open_portfolio, register_customer
from accounts.services.staff import enrol_totp, invite_staff
from audit.actors import Actor, ActorKind
from audit.circumstances import new_trace_id
from audit.typeids import typeid
from config.sandbox import agreed, limits, months, past, present
from config.sandbox.cast import FIRMS, STAFF, SUPPORTED, Client, Employee, Firm, Purse
from config.sandbox.house import CLIENT_NAME, FOUNDER, House, provider
from config.sandbox.refusal import CannotRun
from transactions.models import Book
from transactions.reports import Report
from transactions.rounds.checking import check_books
from transactions.services.books import open_book, open_house, set_up_account
from transactions.services.imports import PastTransfer, import_opening, import_transfers
from transactions.services.news import take_news

SEED: Final = "countersign"
PASSWORD_BYTES: Final = 12
# Before the first day that charts show: what was brought along is no money that came in.
OPENING_AGO: Final = timedelta(days=past.DAYS + 2)
STRIPE: Final = provider("stripe")


def load() -> dict[str, Any]:
    """Make the world in an empty house; return its staff and partners for credentials.json.

    CannotRun where a house is open already: its secrets were shown once and cannot be had again.
    """
    if Book.objects.exists():
        raise CannotRun("the demo world is there already: `make reset` throws it away")
    now = timezone.now()
    open_house(actor=FOUNDER)
    hired = [_hire(employee) for employee in STAFF]
    houses, stands = [], []
    for firm in FIRMS:
        house = _open(firm)
        stands += _move_in(firm, house=house, at=now - OPENING_AGO)
        houses.append(house)
    _remember(past.events(stands, now=now, seed=SEED))
    officers = {
        employee.role: officer for employee, (officer, _) in zip(STAFF, hired, strict=True)
    }
    limits.agree(zip(FIRMS, houses, strict=True), officers=officers)
    acme, borealis = houses
    agreed.set_prices(acme, borealis=borealis, officers=officers)
    _let_in(officers[Role.SUPPORT_AGENT], houses=houses)
    present.live(houses, officers=officers)
    agreed.deal(acme, borealis=borealis, officers=officers)
    months.close_the_first(officers[Role.FINANCE_OPERATOR])
    if check_books():
        raise CannotRun("the demo world's books do not hold: `manage.py ledger_check` says where")
    return {
        "staff": [credentials for _, credentials in hired],
        "partners": [_credentials(house) for house in houses],
    }


def _hire(employee: Employee) -> tuple[Actor, dict[str, str]]:
    """Invite a member of staff; return them as an actor, and what they sign in with."""
    password, secret = secrets.token_urlsafe(PASSWORD_BYTES), pyotp.random_base32()
    roles = frozenset({employee.role})
    user = invite_staff(
        actor=FOUNDER,
        name=employee.name,
        email=employee.email,
        password=password,
        roles=roles,
    )
    enrol_totp(actor=FOUNDER, user_id=user.pk, secret=secret)
    officer = Actor(
        kind=ActorKind.STAFF,
        id=str(user.pk),
        label=employee.email,
        credential="session:world",
        grants=grants_of(roles),
        person_id=user.person_id,
    )
    return officer, {
        "email": employee.email,
        "password": password,
        "totp_secret": secret,
        "role": employee.role.value,
    }


def _let_in(support: Actor, *, houses: Iterable[House]) -> None:
    """Grant the support agent the one portfolio that they look after."""
    slug, portfolio = SUPPORTED
    for house in houses:
        if house.partner.slug == slug:
            grant_portfolio(
                actor=FOUNDER,
                portfolio=house.portfolios[portfolio],
                user=User.objects.get(pk=support.id),
            )


def _open(firm: Firm) -> House:
    """Take on a partner with its book, its portfolios and a machine that speaks for it."""
    partner = onboard_partner(
        actor=FOUNDER,
        name=firm.name,
        slug=firm.slug,
        approval_threshold_minor=firm.threshold_minor,
    )
    open_book(actor=FOUNDER, partner=partner)
    return House(
        partner=partner,
        client=register_client(
            actor=FOUNDER, partner_id=partner.pk, name=CLIENT_NAME, scopes=tuple(SCOPES)
        ),
        portfolios={
            name: open_portfolio(actor=FOUNDER, partner=partner, name=name)
            for name in firm.portfolios
        },
    )


def _move_in(firm: Firm, *, house: House, at: datetime) -> list[past.Stand]:
    """Register a partner's customers and open every account with what it brings along."""
    stands = []
    for client in firm.clients:
        portfolio = house.portfolios[client.portfolio]
        customer = _register(client, portfolio=portfolio)
        for purse in client.purses:
            account = _fill(purse, house=house, portfolio=portfolio, customer=customer, at=at)
            stands.append(
                past.Stand(
                    account_id=account.pk,
                    firm=firm.slug,
                    currency=purse.currency,
                    held_minor=purse.opening_minor,
                    is_customer=customer is not None,
                )
            )
    return stands


def _register(client: Client, *, portfolio: Portfolio) -> Customer | None:
    if not client.name:
        return None
    return register_customer(
        actor=FOUNDER, portfolio=portfolio, name=client.name, email=client.email
    )


def _fill(
    purse: Purse, *, house: House, portfolio: Portfolio, customer: Customer | None, at: datetime
) -> Account:
    """Open one account under an alias that says nothing about its owner."""
    account = set_up_account(
        actor=FOUNDER,
        portfolio=portfolio,
        name=purse.name,
        currency=purse.currency,
        alias=f"{house.partner.slug}-{len(house.accounts) + 1:02d}-{purse.currency.lower()}",
        customer=customer,
    )
    house.accounts.append(account)
    import_opening(
        actor=FOUNDER, account=account, amount_minor=purse.opening_minor, occurred_at=at
    )
    return account


def _remember(events: Iterable[past.Event]) -> None:
    """Tell the past in its order: transfers in batches, a provider's news likewise."""
    for is_transfer, run in groupby(events, key=lambda event: isinstance(event, PastTransfer)):
        if is_transfer:
            import_transfers(
                actor=FOUNDER, items=[event for event in run if isinstance(event, PastTransfer)]
            )
            continue
        told = [
            Report(credential="callback", trace_id=new_trace_id(), meanings=[news])
            for news in run
            if not isinstance(news, PastTransfer)
        ]
        for outcome in take_news(actor=STRIPE, provider=STRIPE.id, reports=told):
            if outcome.refusal is not None:
                raise outcome.refusal


def _credentials(house: House) -> dict[str, Any]:
    return {
        "name": house.partner.name,
        "client_id": house.client.client_id,
        "client_secret": house.client.secret,
        "book": typeid("bok", house.partner.book_id),
        "accounts": [
            {
                "id": account.public_id,
                "name": account.name,
                "currency": account.currency,
                "alias": account.alias,
            }
            for account in house.accounts
        ],
    }
