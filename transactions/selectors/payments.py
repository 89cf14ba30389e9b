"""Reading what providers told us of, for the commands that note and book it."""

from django.db.models import QuerySet

from accounts.scopes import by_account
from audit.actors import Actor
from transactions.models import Dispute, Payment, ProviderPayout


def payment_named(provider: str, *, reference: str | None) -> Payment | None:
    """Return a payment by the provider's name for it (charge or intent), locked."""
    if not reference:
        return None
    known = Payment.objects.select_for_update(no_key=True, of=("self",)).filter(provider=provider)
    return known.filter(reference=reference).first() or known.filter(intent_ref=reference).first()


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
