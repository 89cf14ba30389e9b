"""What news speaks of: locked and read at once, decided on in memory, written at once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from accounts.services.mailbox import News, publish_all
from audit.actors import Actor
from audit.calls import Call
from audit.canonical import Json
from audit.circumstances import current
from audit.history import Guarded, difference, remember, spelled
from audit.services.recording import later, record
from transactions.ledger.accounts import (
    SHORTFALL,
    SUSPENSE,
    bank,
    clearing,
    fees,
    house_book,
    system_account,
)
from transactions.ledger.posting import Draft, posting, spilled, stand
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    PaymentNotice,
    PayoutNotice,
)
from transactions.models import Dispute, LedgerAccount, Payment, ProviderPayout
from transactions.selectors.ledger import booked_on, money_accounts, system_accounts
from transactions.selectors.payments import (
    disputes_named,
    one_at_a_time,
    payments_named,
    payouts_named,
)
from transactions.standing import Standing

# The database function that stores rows of each kind, new ones and known ones alike.
STORES: Final[Mapping[type[Guarded], str]] = {
    Payment: "payments_store(%s::jsonb)",
    Dispute: "disputes_store(%s::jsonb)",
    ProviderPayout: "payouts_store(%s::jsonb)",
}


class Turn(NamedTuple):
    """A row that was there already, as it is stored and as its first change leaves it."""

    stored: dict[str, Json]
    changed: dict[str, Json]


@dataclass(slots=True, kw_only=True)
class Subjects:
    """The rows and accounts that some news of one provider is about, and what became of them.

    Whoever decides refuses before it changes anything here, so that a no leaves no trace.
    """

    disputes: dict[str, Dispute]
    payouts: dict[str, ProviderPayout]
    accounts: dict[UUID, LedgerAccount]
    systems: dict[tuple[str, UUID, str], LedgerAccount]
    standings: dict[UUID, Standing]
    booked: dict[str, int | None]
    payments: dict[str, list[Payment]] = field(default_factory=dict)
    house_id: UUID | None = None
    changed: dict[UUID, Guarded] = field(default_factory=dict)
    turns: dict[UUID, Turn | None] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    letters: list[News] = field(default_factory=list)

    def payment(self, reference: str | None) -> Payment | None:
        """Return a payment by the provider's name for it, charge or intent."""
        known = self.payments.get(reference or "", [])
        by_charge = (each for each in known if each.reference == reference)
        return next(by_charge, None) or next(
            (each for each in known if each.intent_ref == reference), None
        )

    def placeholder(self, intent_ref: str | None) -> Payment | None:
        """Return the row of an intent that has no charge yet: its charge takes it over."""
        known = self.payments.get(intent_ref or "", [])
        return next((e for e in known if e.reference == e.intent_ref == intent_ref), None)

    def account_for_money(self, account_id: UUID | None, *, currency: str) -> LedgerAccount | None:
        """Return the account that incoming money names, None where none of its currency."""
        account = self.accounts.get(account_id) if account_id else None
        return account if account and account.currency == currency else None

    def system(self, code: str, *, book_id: UUID, currency: str) -> LedgerAccount:
        """Return a book's own account of this code, opening it if it is the first."""
        key = code, book_id, currency
        if key not in self.systems:
            self.systems[key] = system_account(code, book_id=book_id, currency=currency)
        return self.systems[key]

    def house(self) -> UUID:
        """Return the house's own book, where money waits whose owner is not known."""
        self.house_id = self.house_id or house_book().pk
        return self.house_id

    def trace_of(self, meaning: Meaning) -> str | None:
        """Return the trace that this news continues, None where it begins one."""
        found: Payment | ProviderPayout | None
        match meaning:
            case Movement():
                found = self.payment(meaning.payment_ref) or self.payouts.get(meaning.subject_ref)
            case PaymentNotice():
                found = self.payment(meaning.reference) or self.payment(meaning.intent_ref)
            case DisputeNotice():
                found = self.payment(meaning.payment_ref)
            case PayoutNotice():
                found = self.payouts.get(meaning.reference)
            case _:
                found = None
        return found.trace_id if found else None

    def name(self, payment: Payment) -> None:
        """Let a payment be found by the names it has now."""
        for name in filter(None, (payment.reference, payment.intent_ref)):
            known = self.payments.setdefault(name, [])
            if payment not in known:
                known.append(payment)

    def post(self, draft: Draft, *, net_minor: int) -> None:
        """Post a journal when all is written, as its accounts can bear it."""
        self.drafts.append(spilled(draft, standings=self.standings))
        self.booked[draft.origin] = net_minor

    def tell(
        self,
        type: str,  # noqa: A002 - the public word for it
        *,
        book_id: UUID,
        occurred_at: datetime,
        payload: Mapping[str, Json],
    ) -> None:
        """Leave the partner a letter when all is written."""
        self.letters.append(
            News(
                type=type,
                book_id=book_id,
                payload=payload,
                occurred_at=occurred_at,
                trace_id=current().trace_id,
            )
        )

    def witness(
        self,
        action: str,
        *,
        actor: Actor,
        target: Guarded,
        rows: Sequence[Guarded],
        book_id: UUID,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Write down what was done to `rows`, and let the next entry on them begin there."""
        record(action, actor=actor, target=target, facts=facts, rows=rows, book_id=book_id)
        for row in rows:
            if type(row) in STORES:
                self._change(row)
            remember(row)

    def _change(self, row: Guarded) -> None:
        self.changed[row.pk] = row
        if row.pk in self.turns:
            return
        before, _ = difference(row)
        if before is None:
            self.turns[row.pk] = None  # new: that alone is a version
        elif before:
            now = spelled(row)
            self.turns[row.pk] = Turn(stored=now | before, changed=now)

    def write(self) -> None:
        """Write all that was decided when the command under way ends, in one statement."""
        for model, function in STORES.items():
            rows = {row.pk: spelled(row) for row in self.changed.values() if type(row) is model}
            # What ends as it began is stored in between as well: entries say that it changed, and
            # only what differs from what is stored leaves a version.
            between = [
                turn.changed
                for key, row in rows.items()
                if (turn := self.turns.get(key)) and turn.stored == row
            ]
            for stage in filter(None, (between, list(rows.values()))):
                later(Call(sql=function, values=(json.dumps(stage),)))
        for row in self.changed.values():
            # The function inserts it, not Django, which must not do so again when it is saved.
            row._state.adding = False  # noqa: SLF001 - documented for this very use
        if self.drafts:
            later(posting(self.drafts))
        publish_all(self.letters)


def subjects_of(news: Sequence[Meaning], *, provider: str) -> Subjects:
    """Lock and read all that `news` of one provider is about.

    Its names first, since the first news of a payment may come twice at once; then rows, and
    balances last, each in order.
    """
    of_payments = {name for each in news for name in _names_of_payment(each)}
    of_disputes = {each.reference for each in news if isinstance(each, DisputeNotice)}
    of_payouts = {name for each in news for name in _names_of_payout(each)}
    one_at_a_time(provider, names=of_payments | of_disputes | of_payouts)
    payments = payments_named(provider, names=of_payments)
    disputes = disputes_named(provider, names=of_disputes)
    payouts = payouts_named(provider, names=of_payouts)
    accounts = money_accounts(_account_ids(news, payments=payments))
    origins = {each.origin for each in news if isinstance(each, Movement)}
    booked = booked_on(clearing(provider), origins=origins)
    books = {each.book_id for each in accounts.values()} | {each.book_id for each in payments}
    codes = [SUSPENSE, SHORTFALL, clearing(provider), fees(provider), bank(provider)]
    is_money = bool(origins - booked.keys())
    subjects = Subjects(
        disputes={each.reference: each for each in disputes},
        payouts={each.reference: each for each in payouts},
        accounts=accounts,
        systems=system_accounts(books, codes=codes) if is_money else {},
        standings=stand(accounts.keys()) if is_money and accounts else {},
        booked={o: None if total is None else -total for o, total in booked.items()},
    )
    for payment in payments:
        subjects.name(payment)
    return subjects


def _names_of_payment(meaning: Meaning) -> Iterator[str]:
    match meaning:
        case Movement(payment_ref=ref) | DisputeNotice(payment_ref=ref) if ref:
            yield ref
        case PaymentNotice(reference=ref, intent_ref=intent_ref):
            yield ref
            yield intent_ref or ref
        case _:
            pass


def _names_of_payout(meaning: Meaning) -> Iterator[str]:
    match meaning:
        case PayoutNotice(reference=ref) | Movement(payment_ref=None, subject_ref=ref):
            yield ref
        case _:
            pass


def _account_ids(news: Iterable[Meaning], *, payments: Iterable[Payment]) -> set[UUID]:
    """Return the accounts that the news names, and those of payments that are known."""
    named = {each.account_id for each in news if isinstance(each, Movement | PaymentNotice)}
    return {key for key in (*named, *(each.account_id for each in payments)) if key}
