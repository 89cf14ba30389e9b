"""Reading partners, their portfolios and customers, as commands need them."""

from uuid import UUID

from accounts.models import Customer, Partner, Portfolio
from accounts.scopes import visible_customers, visible_portfolios
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.errors import NotFound


def access_partner(partner_id: UUID, *, actor: Actor) -> Partner:
    """Return one partner `actor` may see, or refuse as if it did not exist."""
    found = visible_partners(to=actor).filter(pk=partner_id).first()
    if found is None:
        raise NotFound(ref=f"partner:{partner_id}")
    return found


def access_portfolio(portfolio_id: UUID, *, actor: Actor) -> Portfolio:
    """Return one portfolio `actor` may see, with its partner, or refuse as if it did not exist."""
    found = visible_portfolios(to=actor).select_related("partner").filter(pk=portfolio_id).first()
    if found is None:
        raise NotFound(ref=f"portfolio:{portfolio_id}")
    return found


def access_customer(customer_id: UUID, *, actor: Actor) -> Customer:
    """Return one customer `actor` may see, with the mask, or refuse as if it did not exist."""
    found = visible_customers(to=actor).select_related("name").filter(pk=customer_id).first()
    if found is None:
        raise NotFound(ref=f"customer:{customer_id}")
    return found
