"""Reading what providers told us of, for the commands that note and book it."""

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import by_account
from audit.actors import Actor
from transactions.models import Dispute, Payment, ProviderPayout


def payment_named(provider: str, *, reference: str | None) -> Payment | None:
    """Return a payment by the provider's name for it (charge or intent), locked."""
    if not reference:
        return None
    known = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(provider=provider)
    return known.filter(reference=reference).first() or known.filter(intent_ref=reference).first()


def placeholder_of(provider: str, *, intent_ref: str | None) -> Payment | None:
    """Return the row of an intent that has no charge yet, locked: its charge takes it over."""
    if not intent_ref:
        return None
    known = Payment.objects.select_for_update(no_key=True, of=("self",))
    return known.filter(provider=provider, reference=intent_ref, intent_ref=intent_ref).first()


def one_at_a_time(provider: str, *, reference: str) -> None:
    """Let one transaction at a time note a payment: its first news may come twice at once."""
    with connection.cursor() as cursor:
        name = f"payment:{provider}:{reference}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def dispute_named(provider: str, *, reference: str) -> Dispute | None:
    """Return a dispute by the provider's name for it, locked."""
    return (
        Dispute.objects.select_for_update(no_key=True, of=("self",))
        .filter(provider=provider, reference=reference)
        .first()
    )


def payout_named(provider: str, *, reference: str) -> ProviderPayout | None:
    """Return a provider's payout by its name for it, locked."""
    return (
        ProviderPayout.objects.select_for_update(no_key=True, of=("self",))
        .filter(provider=provider, reference=reference)
        .first()
    )


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
