"""Setting up partners, their portfolios and customers."""

from uuid import UUID

from accounts.crypto.vault import lock_away
from accounts.errors import NameTaken
from accounts.models import Customer, Partner, Portfolio
from accounts.states import PayeePolicy
from audit.actors import Actor
from audit.commands import command
from audit.constraints import refuse_on
from audit.services.recording import record


@command
def onboard_partner(
    *, actor: Actor, name: str, slug: str, approval_threshold_minor: int
) -> Partner:
    """Take on a partner. Payouts at or above the threshold will need a second person."""
    with refuse_on({"accounts_partner_slug_key": NameTaken(name=slug)}):
        partner = Partner.objects.create(
            name=name, slug=slug, approval_threshold_minor=approval_threshold_minor
        )
    record("partner.onboarded", actor=actor, target=partner, rows=[partner])
    return partner


@command
def set_payee_policy(
    *, actor: Actor, partner_id: UUID, policy: PayeePolicy, cooling_hours: int
) -> Partner:
    """Say what the payee register means for a partner, and how long new details cool."""
    partner = Partner.objects.select_for_update(no_key=True, of=("self",)).get(pk=partner_id)
    is_news = (partner.payee_policy, partner.payee_cooling_hours) != (policy, cooling_hours)
    if is_news:
        partner.payee_policy, partner.payee_cooling_hours = policy, cooling_hours
        partner.save(update_fields=["payee_policy", "payee_cooling_hours"])
    rows = [partner] if is_news else []
    record("partner.payee_policy_set", actor=actor, target=partner, rows=rows)
    return partner


@command
def open_portfolio(*, actor: Actor, partner: Partner, name: str) -> Portfolio:
    """Open a portfolio, the container that people are given access to."""
    with refuse_on({"portfolio_name_once": NameTaken(name=name)}):
        portfolio = Portfolio.objects.create(partner=partner, book_id=partner.book_id, name=name)
    record("portfolio.opened", actor=actor, target=portfolio, rows=[portfolio])
    return portfolio


@command
def register_customer(*, actor: Actor, portfolio: Portfolio, name: str, email: str) -> Customer:
    """Register a customer; name and e-mail go into the vault, the row keeps their tokens."""
    book_id: UUID = portfolio.book_id
    customer = Customer.objects.create(
        book_id=book_id,
        portfolio=portfolio,
        name=lock_away(name, label="name", book_id=book_id),
        email=lock_away(email, label="email", book_id=book_id),
    )
    record("customer.registered", actor=actor, target=customer, rows=[customer])
    return customer
