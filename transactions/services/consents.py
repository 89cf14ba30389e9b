"""Commands on consents: who of the other partners may pay into an account."""

from uuid import UUID

from django.utils import timezone

from accounts.selectors.accounts import access_account
from audit.actors import Actor
from audit.commands import command
from audit.constraints import refuse_on
from audit.services.recording import record
from transactions.errors import AccountClosed, NothingChanged
from transactions.ledger.posting import lock
from transactions.models import PayInConsent
from transactions.selectors.consents import access_consent


@command
def allow_payer(*, actor: Actor, account_id: UUID, payer: str) -> PayInConsent:
    """Let the partner with the short name `payer` pay into an account, whoever that may be.

    Whether there is such a partner is neither looked up nor told. Refuses with
    NotFound, AccountClosed, and NothingChanged where it may already.
    """
    account = access_account(account_id, actor=actor)
    if account.closed_at is not None:
        raise AccountClosed(account=account.public_id)
    consent = PayInConsent(
        book_id=account.book_id, account_id=account.pk, payer=payer, given_by=actor.ref
    )
    with refuse_on({"consent_stands_once": NothingChanged(ref=account.audit_ref)}):
        consent.save(force_insert=True)
    record("consent.given", actor=actor, target=account, facts={"payer": payer}, rows=[consent])
    return consent


@command
def withdraw_payer(*, actor: Actor, consent_id: UUID) -> PayInConsent:
    """Withdraw a consent. Once this is done nothing more arrives by it.

    The account's lock makes it wait for what is under way. NotFound, and
    NothingChanged where it is withdrawn.
    """
    lock(access_consent(consent_id, actor=actor).account_id)
    consent = access_consent(consent_id, actor=actor, lock=True)
    if consent.withdrawn_at is not None:
        raise NothingChanged(ref=consent.audit_ref)
    consent.withdrawn_at = timezone.now()
    consent.save(update_fields=["withdrawn_at"])
    record(
        "consent.withdrawn",
        actor=actor,
        target=access_account(consent.account_id, actor=actor),
        facts={"payer": consent.payer},
        rows=[consent],
    )
    return consent
