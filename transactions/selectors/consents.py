"""Reading who may pay into an account, and where money under an alias arrives."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts.scopes import by_account
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import PayInConsent


def visible_consents(*, to: Actor) -> QuerySet[PayInConsent]:
    """Return the consents for accounts that `to` may see."""
    return by_account(PayInConsent.objects.all(), to=to, path="account_id")


def access_consent(consent_id: UUID, *, actor: Actor, lock: bool = False) -> PayInConsent:
    """Return one consent `actor` may see, or refuse as if it did not exist."""
    consents = visible_consents(to=actor)
    if lock:
        consents = consents.select_for_update(no_key=True, of=("self",))
    consent = consents.filter(pk=consent_id).first()
    if consent is None:
        raise NotFound(ref=f"payinconsent:{consent_id}")
    return consent


def listed_consents(
    account_id: UUID, *, to: Actor, before: UUID | None, limit: int
) -> Sequence[PayInConsent]:
    """Return an account's consents, the newest first, older than `before`."""
    consents = visible_consents(to=to).filter(account_id=account_id)
    if before is not None:
        consents = consents.filter(pk__lt=before)
    return list(consents.order_by("-id")[:limit])


def standing_consents(account_id: UUID) -> Sequence[PayInConsent]:
    """Return the consents of an account that are not withdrawn, for those who may see it."""
    return list(PayInConsent.objects.filter(account_id=account_id, withdrawn_at=None))


def payable_account(alias: str, *, payer_book_id: UUID, currency: str) -> UUID | None:
    """Return the account that takes the payer's money under `alias`, None for any reason."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_payable(%s, %s, %s)", [payer_book_id, alias, currency])
        found: UUID | None = cursor.fetchone()[0]
    return found
