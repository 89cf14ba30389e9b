"""Reading what the staff's pages show beside a row. Callers may see the row already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from accounts.models import Account, Approval, Decision
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import by_account, visible_accounts
from audit.actors import Actor
from transactions.models import (
    Balance,
    Dispute,
    Hold,
    Journal,
    JournalOrigin,
    LedgerAccount,
    Payment,
    Posting,
    Transfer,
)
from transactions.money import Money
from transactions.selectors.holds import visible_holds
from transactions.selectors.ledger import visible_journals
from transactions.selectors.payments import visible_disputes
from transactions.selectors.transfers import visible_transfers
from transactions.states import TransferState

POSTINGS_MAX: Final = 100
CHOICES_MAX: Final = 500


def transfers_for_pages(*, to: Actor) -> QuerySet[Transfer]:
    """Return the transfers `to` may see, each with payee masks and how its account stands."""
    found = visible_transfers(to=to).select_related("payee_name", "payee_iban", "approval")
    return found.annotate(**_account_as_it_stands("source_id"))


def transfer_of_origin(origin: str, *, actor: Actor) -> Transfer | None:
    """Return the transfer that `origin` caused, if `actor` may see it."""
    return visible_transfers(to=actor).filter(origin=origin).first()


def payments_for_pages(*, to: Actor) -> QuerySet[Payment]:
    """Return the payments `to` may see, each with how its account stands."""
    found = by_account(Payment.objects.all(), to=to, path="account_id")
    return found.annotate(**_account_as_it_stands("account_id"))


def named_postings(journal: Journal, *, to: Actor) -> Sequence[tuple[Posting, str]]:
    """Return a journal's lines, at most `POSTINGS_MAX`, each with its account's name.

    The name is empty for an account that `to` may not know: that money came or went is shown,
    whose it is not.
    """
    lines = list(Posting.objects.filter(journal_id=journal.pk).order_by("id")[:POSTINGS_MAX])
    ids = [line.account_id for line in lines]
    seen = visible_ledger_accounts(to=to).filter(pk__in=ids)
    names = {row.pk: str(row) for row in seen}
    return [(line, names.get(line.account_id, "")) for line in lines]


def disputes_for_pages(*, to: Actor) -> QuerySet[Dispute]:
    """Return the disputes `to` may know exist, each with the key of its payment."""
    payment = Payment.objects.filter(
        provider=OuterRef("provider"), reference=OuterRef("payment_ref")
    )
    return visible_disputes(to=to).annotate(payment_id=Subquery(payment.values("pk")[:1]))


def journals_for_pages(*, to: Actor) -> QuerySet[Journal]:
    """Return the journals `to` may know exist, each with its largest posting's amount."""
    largest = Posting.objects.filter(journal_id=OuterRef("pk")).order_by("-amount_minor")
    return visible_journals(to=to).annotate(
        amount_minor=Subquery(largest.values("amount_minor")[:1]),
        currency=Subquery(largest.values("currency")[:1]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJournal:
    """A journal as another thing's page shows it: the amount is that of its largest line."""

    pk: UUID
    name: str
    money: Money
    occurred_at: datetime
    trace_id: str


def journals_about(ref: str, *, to: Actor) -> Sequence[ShownJournal]:
    """Return the journals about something, the first first, at most `POSTINGS_MAX`."""
    return _shown_journals(journals_for_pages(to=to).filter(subject_ref=ref))


def reversals_of(journal: Journal, *, to: Actor) -> Sequence[ShownJournal]:
    """Return the journals that undo this one, the first first, at most `POSTINGS_MAX`."""
    undoing = JournalOrigin.objects.filter(reverses=journal.pk).values("journal_id")
    return _shown_journals(journals_for_pages(to=to).filter(pk__in=undoing))


def _shown_journals(found: QuerySet[Journal]) -> list[ShownJournal]:
    rows: list[Any] = list(found.order_by("id")[:POSTINGS_MAX])
    return [
        ShownJournal(
            pk=row.pk,
            name=str(row),
            money=Money(row.amount_minor, row.currency),
            occurred_at=row.occurred_at,
            trace_id=row.trace_id,
        )
        for row in rows
    ]


def holds_for_pages(*, to: Actor) -> QuerySet[Hold]:
    """Return the holds `to` may see, payouts' among them, each with its account's name."""
    name = Account.objects.filter(pk=OuterRef("account_id")).values("name")[:1]
    return visible_holds(to=to).annotate(source_name=Subquery(name))


def visible_ledger_accounts(*, to: Actor) -> QuerySet[LedgerAccount]:
    """Return the books' accounts `to` may know exist: all, or those of its customers."""
    found = LedgerAccount.objects.select_related("book", "balance")
    return found if _sees_all(to) else found.filter(pk__in=visible_accounts(to=to).values("pk"))


def balance_of(account_id: UUID) -> Balance | None:
    """Return an account's balance, None where it keeps none."""
    return Balance.objects.filter(pk=account_id).first()


def accounts_to_choose_from(*, to: Actor) -> Sequence[Account]:
    """Return the accounts `to` may see, by name, at most `CHOICES_MAX`."""
    found = visible_accounts(to=to).select_related("partner").order_by("partner__name", "name")
    return list(found[:CHOICES_MAX])


def payouts_stopped_by_a_freeze(account_id: UUID) -> tuple[int, int]:
    """Return how many payouts of an account have not been sent yet, and their sum.

    A freeze of debits stops these; what has been sent already, it cannot.
    """
    not_sent = [TransferState.AWAITING_APPROVAL, TransferState.ACCEPTED]
    found = Transfer.objects.filter(source_id=account_id, state__in=not_sent).aggregate(
        count=Count("pk"), total=Sum("amount_minor")
    )
    return found["count"], int(found["total"] or 0)


def decisions_on(approval: Approval) -> Sequence[Decision]:
    """Return what was decided, the first first."""
    return list(Decision.objects.filter(approval=approval).order_by("id"))


def _sees_all(to: Actor) -> bool:
    return to.may(SEES_EVERY_PORTFOLIO_GRANT)


def _account_as_it_stands(path: str) -> dict[str, Subquery]:
    """Return a row's account's name, what of it is frozen, and since when it is closed."""
    account = Account.objects.filter(pk=OuterRef(path))
    return {
        f"account_{name}": Subquery(account.values(column)[:1])
        for name, column in (
            ("name", "name"),
            ("frozen", "freeze_mode"),
            ("closed", "closed_at"),
        )
    }
