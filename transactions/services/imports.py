"""Taking over what a partner's former books say: opening balances, and transfers long finished.

`occurred_at` is the past's, `recorded_at` is honest: the database writes its own clock. Nobody is
told by letter, for it is no news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.crypto.vault import lock_away
from accounts.models import Account
from audit.actors import Actor
from audit.circumstances import new_trace_id, under
from audit.commands import Batch, command
from audit.constraints import refuse_on
from audit.errors import Invalid, NotFound
from audit.history import Guarded
from audit.services.recording import record
from transactions.errors import AlreadyBooked, CurrencyMismatch
from transactions.ledger.accounts import bank, clearing, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, lock, post
from transactions.models import Hold, LedgerAccount, Transfer
from transactions.orders import Payee, TransferOrder
from transactions.selectors.ledger import access_ledger_accounts
from transactions.services.intake import PAYOUT_PROVIDER
from transactions.states import FINAL_STATES, HoldState, TransferKind, TransferState

OPENING: Final = bank("opening")
ITEMS_MAX: Final = 10_000
ENDS: Final = FINAL_STATES - {TransferState.REVERSED}
HAS_MOVED: Final = frozenset({TransferState.SETTLED, TransferState.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTransfer:
    """One finished transfer as the former books tell it; `name` is theirs and unique.

    `ended_at` is when it settled, failed or was called off, `returned_at` when it came back.
    """

    name: str
    order: TransferOrder
    state: TransferState
    occurred_at: datetime
    ended_at: datetime
    returned_at: datetime | None = None
    failure_code: str = ""
    provider_ref: str = ""

    @property
    def origin(self) -> str:
        """Return what caused the transfer here: the line of the former books."""
        return f"import:{self.name}"


@command
def import_opening(
    *, actor: Actor, account: Account, amount_minor: int, occurred_at: datetime
) -> UUID:
    """Bring an account's balance from the former books, once; return its journal's id.

    Refuses with AlreadyBooked and AccountFrozen.
    """
    former = system_account(OPENING, book_id=account.book_id, currency=account.currency)
    journal_id = post(
        Draft(
            book_id=account.book_id,
            purpose="opening",
            subject_ref=account.audit_ref,
            origin=f"opening:{account.pk}",
            occurred_at=occurred_at,
            lines=_lines(former.pk, account.pk, money=(amount_minor, account.currency)),
        )
    )
    record(
        "opening.imported",
        actor=actor,
        target=account,
        facts={"journal": journal_id, "amount_minor": amount_minor, "occurred_at": occurred_at},
        rows=newly_opened(former),
        book_id=account.book_id,
    )
    return journal_id


@command
def import_transfers(*, actor: Actor, items: Sequence[PastTransfer]) -> Batch:
    """Take over finished transfers in the order given, all or none; one entry each.

    Refuses with Invalid (not finished, too many), NotFound, CurrencyMismatch,
    AlreadyBooked, AccountFrozen and InsufficientFunds. Past limits and
    approvals are the former books' affair.
    """
    _check_form(items)
    accounts = _accounts_of(items, actor=actor)
    lock(*accounts)
    traces = [new_trace_id() for _ in items]
    transfers = [
        _draft(item, actor=actor, accounts=accounts, trace_id=trace_id)
        for item, trace_id in zip(items, traces, strict=True)
    ]
    taken = AlreadyBooked(origin=f"{items[0].origin} … {items[-1].origin}")
    with refuse_on({"transfer_origin_once": taken}):
        Transfer.objects.bulk_create(transfers)
    holds = {hold.transfer_id: hold for hold in Hold.objects.bulk_create(_holds(transfers))}
    for item, transfer in zip(items, transfers, strict=True):
        with under(trace_id=transfer.trace_id):
            _take_over(item, actor=actor, transfer=transfer, hold=holds.get(transfer.pk))
    return Batch(transfers)


def _check_form(items: Sequence[PastTransfer]) -> None:
    """Refuse too many or too few, and a transfer that is still on its way."""
    if not 0 < len(items) <= ITEMS_MAX:
        raise Invalid(fields={"items": f"must be 1 to {ITEMS_MAX}"})
    for item in items:
        if item.state not in ENDS or (
            item.order.payee is None and item.state is not TransferState.SETTLED
        ):
            raise Invalid(fields={item.name: f"{item.state} is no end of this transfer"})
        if (item.state is TransferState.RETURNED) is (item.returned_at is None):
            raise Invalid(fields={item.name: "returned_at belongs to what was returned"})


def _accounts_of(items: Sequence[PastTransfer], *, actor: Actor) -> dict[UUID, LedgerAccount]:
    """Return every account the items name, by id; refuse one unknown or in another currency."""
    named = {
        key: item.order.money.currency
        for item in items
        for key in (item.order.source_id, item.order.destination_id)
        if key is not None
    }
    found = access_ledger_accounts(set(named), actor=actor)
    for key, currency in named.items():
        if key not in found:
            raise NotFound(ref=f"account:{key}")
        if found[key].currency != currency:
            said = f"{key} is kept in {found[key].currency}"
            raise CurrencyMismatch(fields={"currency": said})
    return found


def _draft(
    item: PastTransfer, *, actor: Actor, accounts: dict[UUID, LedgerAccount], trace_id: str
) -> Transfer:
    """Return the transfer in its final state, not saved yet; its payee is in the vault."""
    order, source = item.order, accounts[item.order.source_id]
    transfer = Transfer(
        book_id=source.book_id,
        kind=TransferKind.PAYOUT if order.payee else TransferKind.INTERNAL,
        state=item.state,
        source=source,
        destination_id=order.destination_id,
        amount_minor=order.money.amount_minor,
        currency=order.money.currency,
        reference=order.reference,
        metadata=order.metadata,
        origin=item.origin,
        requested_by=actor.ref,
        provider_ref=item.provider_ref,
        failure_code=item.failure_code,
        trace_id=trace_id,
        occurred_at=item.occurred_at,
        settled_at=item.ended_at if item.state in HAS_MOVED else None,
    )
    if isinstance(order.payee, Payee):
        transfer.provider = PAYOUT_PROVIDER
        transfer.payee_name = lock_away(order.payee.name, label="name", book_id=source.book_id)
        transfer.payee_iban = lock_away(order.payee.iban, label="iban", book_id=source.book_id)
    return transfer


def _holds(transfers: Sequence[Transfer]) -> list[Hold]:
    """Return the reservation each payout once had, closed as its end says."""
    holds = []
    for transfer in transfers:
        if transfer.kind == TransferKind.PAYOUT:
            hold = Hold(
                transfer=transfer,
                book_id=transfer.book_id,
                account_id=transfer.source_id,
                amount_minor=transfer.amount_minor,
            )
            if transfer.state in HAS_MOVED:
                hold.capture(transfer.amount_minor)
            else:
                hold.release(HoldState.VOIDED)
            holds.append(hold)
    return holds


def _take_over(item: PastTransfer, *, actor: Actor, transfer: Transfer, hold: Hold | None) -> None:
    """Post what moved, and write the entry of one transfer."""
    rows: list[Guarded] = [transfer, *([hold] if hold else [])]
    if transfer.state in HAS_MOVED:
        rows += _post(item, transfer=transfer)
    record(
        "transfer.imported",
        actor=actor,
        target=transfer,
        facts={"origin": item.origin, "state": item.state, "occurred_at": item.occurred_at},
        rows=rows,
        book_id=transfer.book_id,
    )


def _post(item: PastTransfer, *, transfer: Transfer) -> list[LedgerAccount]:
    """Post the money that left, and its return; return the accounts that were opened for it."""
    far_id, opened = transfer.destination_id, []
    if far_id is None:
        far = system_account(
            clearing(transfer.provider), book_id=transfer.book_id, currency=transfer.currency
        )
        far_id, opened = far.pk, newly_opened(far)
    money = (transfer.amount_minor, transfer.currency)
    journal_id = _post_one(
        transfer,
        purpose="payout" if transfer.kind == TransferKind.PAYOUT else "internal",
        end="settled",
        at=item.ended_at,
        lines=_lines(transfer.source_id, far_id, money=money),
    )
    if item.returned_at is not None:
        _post_one(
            transfer,
            purpose="payout_return",
            end="returned",
            at=item.returned_at,
            lines=_lines(far_id, transfer.source_id, money=money),
            reverses=journal_id,
        )
    return opened


def _post_one(
    transfer: Transfer,
    *,
    purpose: str,
    end: str,
    at: datetime,
    lines: Sequence[Line],
    reverses: UUID | None = None,
) -> UUID:
    return post(
        Draft(
            book_id=transfer.book_id,
            purpose=purpose,
            subject_ref=transfer.audit_ref,
            origin=f"{transfer.audit_ref}:{end}",
            occurred_at=at,
            lines=lines,
            reverses=reverses,
        )
    )


def _lines(giver: UUID, taker: UUID, /, *, money: tuple[int, str]) -> list[Line]:
    """Return the two lines that move an amount from one account to another."""
    amount, currency = money
    return [
        Line(account_id=giver, amount_minor=-amount, currency=currency),
        Line(account_id=taker, amount_minor=amount, currency=currency),
    ]
