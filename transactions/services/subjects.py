"""What news speaks of: locked and read at once, decided on in memory, written at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from accounts.services.mailbox import News, publish_all
from audit.actors import Actor
from audit.calls import Call, spell
from audit.canonical import Json
from audit.circumstances import current
from audit.errors import NotFound
from audit.history import Guarded, difference, remember, spelled, versions_under
from audit.services.recording import later, record
from transactions.ledger.accounts import house_book, system_account
from transactions.ledger.posting import Draft, posting, reserving, spilled
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    PaymentNotice,
    PayoutNotice,
    TransferNotice,
)
from transactions.meanings import TransferState as Word
from transactions.models import Dispute, Hold, LedgerAccount, Payment, ProviderPayout, Transfer
from transactions.selectors.archive import journal_to_undo
from transactions.services.steps import settlement_of
from transactions.standing import Standing

# The database function that stores rows of each kind: of payouts and their holds only known ones.
STORES: Final[Mapping[type[Guarded], str]] = {
    Payment: "payments_store(%s::jsonb)",
    Dispute: "disputes_store(%s::jsonb)",
    ProviderPayout: "payouts_store(%s::jsonb)",
    Transfer: "transfers_advance(%s::jsonb)",
    Hold: "holds_end(%s::jsonb)",
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

    disputes: dict[str, Dispute] = field(default_factory=dict)
    payouts: dict[str, ProviderPayout] = field(default_factory=dict)
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    accounts: dict[UUID, LedgerAccount] = field(default_factory=dict)
    systems: dict[tuple[str, UUID, str], LedgerAccount] = field(default_factory=dict)
    standings: dict[UUID, Standing] = field(default_factory=dict)
    booked: dict[str, int | None] = field(default_factory=dict)
    journals: dict[str, UUID] = field(default_factory=dict)
    payments: dict[str, list[Payment]] = field(default_factory=dict)
    house_id: UUID | None = None
    changed: dict[UUID, Guarded] = field(default_factory=dict)
    turns: dict[UUID, Turn | None] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)
    freed: Counter[UUID] = field(default_factory=Counter)
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

    def transfer(self, notice: TransferNotice) -> Transfer:
        """Return the payout of ours that its bank speaks of; NotFound, too, for another bank's."""
        key = notice.transfer_id
        found = self.transfers.get(key) if key else None
        if found is None or found.provider != notice.provider:
            raise NotFound(ref=f"transfer:{key or notice.reference[:40]}")
        return found

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

    def journal_to_undo(self, origin: str) -> UUID | None:
        """Return the id of the journal that `origin` caused; JournalArchived where it is away."""
        return self.journals.get(origin) or journal_to_undo(origin)

    def house(self) -> UUID:
        """Return the house's own book, where money waits whose owner is not known."""
        self.house_id = self.house_id or house_book().pk
        return self.house_id

    def trace_of(self, meaning: Meaning) -> str | None:
        """Return the trace that this news continues, None where it begins one."""
        found: Payment | ProviderPayout | Transfer | None
        match meaning:
            case Movement():
                found = self.payment(meaning.payment_ref) or self.payouts.get(meaning.subject_ref)
            case PaymentNotice():
                found = self.payment(meaning.reference) or self.payment(meaning.intent_ref)
            case DisputeNotice():
                found = self.payment(meaning.payment_ref)
            case PayoutNotice():
                found = self.payouts.get(meaning.reference)
            case TransferNotice(transfer_id=UUID() as key):
                found = self.transfers.get(key)
            case _:
                found = None
        return found.trace_id if found else None

    def name(self, payment: Payment) -> None:
        """Let a payment be found by the names it has now."""
        for name in filter(None, (payment.reference, payment.intent_ref)):
            known = self.payments.setdefault(name, [])
            if payment not in known:
                known.append(payment)

    def post(self, draft: Draft, *, net_minor: int | None = None) -> None:
        """Post a journal when all is written; one with a spill as its accounts can bear it.

        What pays out of its own reservation leaves its account as able as before.
        """
        sound = spilled(draft, standings=self.standings)
        self.drafts.append(replace(sound, trace_id=sound.trace_id or current().trace_id))
        self.booked[draft.origin] = net_minor

    def free(self, account_id: UUID, *, amount_minor: int) -> None:
        """Give reserved money back to its account when all is written."""
        self.freed[account_id] -= amount_minor
        self.standings[account_id].pending_minor -= amount_minor

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
                self.traces[str(row.pk)] = current().trace_id
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

    def must_write_before(self, meaning: Meaning) -> bool:
        """Say whether news undoes a journal that was decided and has no id until it is written."""
        match meaning:
            case TransferNotice(state=Word.RETURNED, transfer_id=UUID() as key):
                undone = settlement_of(key)
                return any(draft.origin == undone for draft in self.drafts)
            case _:
                return False

    def write(self) -> None:
        """Write all that was decided when the command under way ends, in one statement."""
        if self.traces:
            later(versions_under(self.traces))
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
                later(Call(sql=function, values=(spell(stage),)))
        for row in self.changed.values():
            # The function inserts it, not Django, which must not do so again when it is saved.
            row._state.adding = False  # noqa: SLF001 - documented for this very use
        if self.freed:
            later(reserving(self.freed))
        if self.drafts:
            later(posting(self.drafts))
        publish_all(self.letters)
        kept = (self.changed, self.turns, self.traces, self.freed, self.drafts, self.letters)
        for written in kept:
            written.clear()
