"""Reading what the staff's pages show. Start from the scopes, as everything does."""

from collections.abc import Sequence
from typing import Final

from django.db.models import QuerySet

from accounts.models import Account, Customer, Partner, Portfolio
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import visible_accounts, visible_customers, visible_portfolios
from audit.actors import Actor

SHOWN_MAX: Final = 50


def customers_for_pages(*, to: Actor) -> QuerySet[Customer]:
    """Return the customers `to` may see, with their masks."""
    return visible_customers(to=to).select_related("name", "email", "portfolio__partner")


def accounts_of(customer: Customer, *, to: Actor) -> Sequence[Account]:
    """Return a customer's accounts that `to` may see, at most `SHOWN_MAX`."""
    return list(visible_accounts(to=to).filter(customer=customer).order_by("id")[:SHOWN_MAX])


def visible_partners(*, to: Actor) -> QuerySet[Partner]:
    """Return the partners `to` may see: all, for those who see every portfolio."""
    found = Partner.objects.all()
    return found if to.may(SEES_EVERY_PORTFOLIO_GRANT) else found.none()


def portfolios_for_pages(*, to: Actor) -> QuerySet[Portfolio]:
    """Return the portfolios `to` may see, by partner and name."""
    found = visible_portfolios(to=to).select_related("partner")
    return found.order_by("partner__name", "name")
