"""Reading limits, and what is used of them."""

import json
from collections.abc import Sequence
from datetime import UTC, date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Func, JSONField, OuterRef, QuerySet, Subquery, Value
from django.utils import timezone

from accounts.models import Account, Partner
from accounts.scopes import by_account, visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.limits import Cap, cap_as_told
from transactions.models import Limit

TOLD = "SELECT to_jsonb(l) FROM limits_told(%s, %s, %s, %s) AS l ORDER BY l.id"


def visible_limits(*, to: Actor) -> QuerySet[Limit]:
    """Return the limits `to` may know exist: a partner's own with its book, others' by account."""
    of_accounts = Limit.objects.filter(account__isnull=False)
    of_partners = Limit.objects.filter(account__isnull=True)
    return by_account(of_accounts, to=to, path="account_id") | visible_books(of_partners, to=to)


def access_limit(limit_id: UUID, *, actor: Actor, lock: bool = False) -> Limit:
    """Return one limit `actor` may see, or refuse as if it did not exist."""
    limits = visible_limits(to=actor)
    if lock:
        limits = limits.select_for_update(no_key=True, of=("self",))
    limit = limits.filter(pk=limit_id).first()
    if limit is None:
        raise NotFound(ref=f"limit:{limit_id}")
    return limit


def limits_for_pages(*, to: Actor) -> QuerySet[Limit]:
    """Return the limits `to` may see, each with its subject's name, and what is used of it."""
    told = Func(
        F("book_id"),
        F("account_id"),
        F("currency"),
        Value(_today()),
        template=(
            "(SELECT to_jsonb(t) FROM limits_told(%(expressions)s) AS t"
            " WHERE t.id = transactions_limit.id)"
        ),
        output_field=JSONField(),
    )
    return visible_limits(to=to).annotate(
        told=told,
        account_name=_one("name", of=Account.objects.filter(pk=OuterRef("account_id"))),
        partner_name=_one("name", of=Partner.objects.filter(book_id=OuterRef("book_id"))),
        partner_id=_one("pk", of=Partner.objects.filter(book_id=OuterRef("book_id"))),
    )


def limits_on(account: Account) -> Sequence[Cap]:
    """Return the limits in force on an account that the caller may see: its own, its partner's."""
    own = _told(account.book_id, account_id=account.pk, currency=account.currency)
    return [*own, *_told(account.book_id, account_id=None, currency=account.currency)]


def limits_of_partner(partner: Partner) -> Sequence[tuple[str, Cap]]:
    """Return the limits in force on all of a partner's accounts, each with its currency."""
    currencies = (
        Limit.objects.filter(book_id=partner.book_id, account__isnull=True)
        .order_by("currency")
        .values_list("currency", flat=True)
        .distinct()
    )
    return [
        (currency, cap)
        for currency in currencies
        for cap in _told(partner.book_id, account_id=None, currency=currency)
    ]


def currencies_of(partner: Partner) -> Sequence[str]:
    """Return the currencies that a partner has accounts in."""
    found = Account.objects.filter(book_id=partner.book_id).order_by("currency")
    return list(found.values_list("currency", flat=True).distinct())


def _told(book_id: UUID, *, account_id: UUID | None, currency: str) -> list[Cap]:
    with connection.cursor() as cursor:
        cursor.execute(TOLD, [book_id, account_id, currency, _today()])
        return [cap_as_told(json.loads(told)) for (told,) in cursor.fetchall()]


def _one(name: str, *, of: QuerySet[Any]) -> Subquery:
    return Subquery(of.values(name)[:1])


def _today() -> date:
    return timezone.now().astimezone(UTC).date()
