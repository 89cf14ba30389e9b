"""Reading what providers told us of, for the commands that note and book it."""

from collections.abc import Collection
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import by_account
from audit.actors import Actor
from transactions.models import Dispute, Payment, ProviderPayout

LOCK_NAMES: Final = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key
        FROM unnest(%s::text[]) AS name ORDER BY key
    ) AS keys
"""


def one_at_a_time(names: Collection[str]) -> None:
    """Let one transaction at a time act on what goes by any of these names, in one order for all.

    For what may be told of twice at once when there is no row of it yet to lock.
    """
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(LOCK_NAMES, [list(names)])


def payments_named(provider: str, *, names: Collection[str]) -> list[Payment]:
    """Return the payments that a provider calls so, by charge or intent, locked in order."""
    known = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(provider=provider)
    called = Q(reference__in=names) | Q(intent_ref__in=names)
    return list(known.filter(called).order_by("pk")) if names else []


def disputes_named(provider: str, *, names: Collection[str]) -> list[Dispute]:
    """Return the disputes that a provider calls so, locked in order."""
    known = Dispute.objects.select_for_update(no_key=True, of=("self",)).filter(provider=provider)
    return list(known.filter(reference__in=names).order_by("pk")) if names else []


def payouts_named(provider: str, *, names: Collection[str]) -> list[ProviderPayout]:
    """Return the payouts to our bank that a provider calls so, locked in order."""
    known = ProviderPayout.objects.select_for_update(no_key=True, of=("self",))
    called = known.filter(provider=provider, reference__in=names)
    return list(called.order_by("pk")) if names else []


def visible_payments(*, to: Actor) -> QuerySet[Payment]:
    """Return the payments `to` may know exist."""
    return by_account(Payment.objects.all(), to=to, path="account_id")


def visible_disputes(*, to: Actor) -> QuerySet[Dispute]:
    """Return the disputes `to` may know exist: those of the payments it sees."""
    if to.may(SEES_EVERY_PORTFOLIO_GRANT):
        return Dispute.objects.all()
    about = visible_payments(to=to).filter(
        provider=OuterRef("provider"), reference=OuterRef("payment_ref")
    )
    return Dispute.objects.filter(Exists(about))


def visible_payouts(*, to: Actor) -> QuerySet[ProviderPayout]:
    """Return the providers' payouts to our bank: for those who see every portfolio."""
    found = ProviderPayout.objects.all()
    return found if to.may(SEES_EVERY_PORTFOLIO_GRANT) else found.none()
