"""Who may know what exists: one predicate a model, from the actor's book and guardian's grants.

Every list, detail, search and command starts from here. A partner sees its
own book. Staff see every portfolio by role, or those granted to them and
their teams one by one. Providers and the system see what they work on: all.
"""

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Model, Q, QuerySet

from accounts.models import (
    Account,
    Customer,
    Portfolio,
    PortfolioGroupPerm,
    PortfolioUserPerm,
)
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from audit.actors import Actor, ActorKind

M = TypeVar("M", bound=Model)
VIEW_PORTFOLIO = "view_portfolio"


def granted_portfolios(*, to: Actor) -> QuerySet[Portfolio, dict[str, UUID]]:
    """Return the ids of the portfolios granted to a login or its teams, as a subquery.

    `IN (user UNION ALL group)` is driven from the grants; `OR` would walk the big table.
    """
    permission = Permission.objects.filter(
        codename=VIEW_PORTFOLIO, content_type__app_label="accounts"
    ).values("pk")[:1]
    mine = PortfolioUserPerm.objects.filter(
        user_id=to.id, user__is_active=True, permission_id=permission
    )
    teams = PortfolioGroupPerm.objects.filter(
        group__user=to.id, group__user__is_active=True, permission_id=permission
    )
    return mine.values("content_object_id").union(teams.values("content_object_id"), all=True)


def _within(rows: QuerySet[M], *, to: Actor, path: str) -> QuerySet[M]:
    """Narrow `rows` to what `to` may see; `path` leads from a row to its portfolio's id."""
    match to.kind:
        case ActorKind.PARTNER:
            return rows.filter(book_id=to.book_id)
        case ActorKind.STAFF:
            if to.may(SEES_EVERY_PORTFOLIO_GRANT):
                return rows
            return rows.filter(Q(**{f"{path}__in": granted_portfolios(to=to)}))
        case ActorKind.PROVIDER | ActorKind.SYSTEM:
            return rows


def visible_accounts(*, to: Actor) -> QuerySet[Account]:
    """Return the accounts `to` may know exist."""
    return _within(Account.objects.all(), to=to, path="portfolio_id")


def visible_customers(*, to: Actor) -> QuerySet[Customer]:
    """Return the customers `to` may know exist."""
    return _within(Customer.objects.all(), to=to, path="portfolio_id")


def visible_portfolios(*, to: Actor) -> QuerySet[Portfolio]:
    """Return the portfolios `to` may know exist."""
    return _within(Portfolio.objects.all(), to=to, path="id")


def visible_books(rows: QuerySet[M], *, to: Actor) -> QuerySet[M]:
    """Narrow rows that belong to a whole book: its partner, and staff who see every portfolio."""
    if to.kind is ActorKind.PARTNER:
        return rows.filter(book_id=to.book_id)
    if to.kind is ActorKind.STAFF and not to.may(SEES_EVERY_PORTFOLIO_GRANT):
        return rows.none()
    return rows


def by_account(rows: QuerySet[M], *, to: Actor, path: str) -> QuerySet[M]:
    """Narrow rows that belong to an account; `path` leads from a row to the account's id."""
    if to.kind is ActorKind.PARTNER:
        return rows.filter(book_id=to.book_id)
    if to.kind is ActorKind.STAFF and not to.may(SEES_EVERY_PORTFOLIO_GRANT):
        return rows.filter(Q(**{f"{path}__in": visible_accounts(to=to).values("pk")}))
    return rows
