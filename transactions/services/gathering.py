"""Locking and reading, at once and in one order for all, what news speaks of."""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from audit.actors import Actor
from transactions.ledger.accounts import SHORTFALL, SUSPENSE, bank, clearing, fees
from transactions.ledger.posting import stand
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    PaymentNotice,
    PayoutNotice,
    TransferNotice,
)
from transactions.meanings import TransferState as Word
from transactions.models import LedgerAccount, Payment, Transfer
from transactions.selectors.archive import journals_to_undo
from transactions.selectors.ledger import booked_on, money_accounts, system_accounts
from transactions.selectors.payments import (
    disputes_named,
    one_at_a_time,
    payments_named,
    payouts_named,
)
from transactions.selectors.transfers import access_payouts
from transactions.services.steps import settlement_of
from transactions.services.subjects import Subjects

# What a bank may say of a payout that touches its account.
MOVING: Final = frozenset({Word.SETTLED, Word.FAILED, Word.RETURNED})


def subjects_of(news: Sequence[Meaning], *, provider: str, actor: Actor) -> Subjects:
    """Lock and read all that `news` of one provider is about.

    Its names first, since the first news of a payment may come twice at once; then rows, and
    balances last, each in order.
    """
    of_payments = {name for each in news for name in _names_of_payment(each)}
    of_disputes = {each.reference for each in news if isinstance(each, DisputeNotice)}
    of_payouts = {name for each in news for name in _names_of_payout(each)}
    one_at_a_time(
        [f"payment:{provider}:{name}" for name in of_payments | of_disputes | of_payouts]
    )
    payments = payments_named(provider, names=of_payments)
    disputes = disputes_named(provider, names=of_disputes)
    payouts = payouts_named(provider, names=of_payouts)
    named = _transfer_ids(news, words=Word)
    transfers = access_payouts(named, provider=provider, actor=actor)
    moved = [transfers[key] for key in _transfer_ids(news, words=MOVING) if key in transfers]
    returned = _transfer_ids(news, words={Word.RETURNED})
    accounts = money_accounts(_account_ids(news, payments=payments))
    origins = {each.origin for each in news if isinstance(each, Movement)}
    booked = booked_on(clearing(provider), origins=origins)
    paid = accounts if origins - booked.keys() else {}
    systems = _own_accounts(
        provider,
        books={each.book_id for each in payments} if origins - booked.keys() else set(),
        paid=paid.values(),
        moved=moved,
        returned=[each for each in moved if each.pk in returned],
    )
    standing = {each.source_id for each in moved} | paid.keys()
    subjects = Subjects(
        disputes={each.reference: each for each in disputes},
        payouts={each.reference: each for each in payouts},
        transfers=transfers,
        accounts=accounts,
        systems=systems,
        standings=stand(standing) if standing else {},
        booked={o: None if total is None else -total for o, total in booked.items()},
        journals=journals_to_undo({settlement_of(key) for key in returned}),
    )
    for payment in payments:
        subjects.name(payment)
    return subjects


def subject_of(transfer: Transfer) -> Subjects:
    """Lock and read how the account of one payout stands, for news of it alone."""
    return Subjects(standings=stand([transfer.source_id]))


def _own_accounts(
    provider: str,
    *,
    books: Collection[UUID],
    paid: Collection[LedgerAccount],
    moved: Collection[Transfer],
    returned: Collection[Transfer],
) -> dict[tuple[str, UUID, str], LedgerAccount]:
    """Return the accounts of the books' own that are there, of `books` and of what is booked.

    Those that have to be opened are waited for by name, before any balance is locked.
    """
    books = {*books, *(each.book_id for each in paid), *(each.book_id for each in moved)}
    clear, fee = clearing(provider), fees(provider)
    codes = [SUSPENSE, SHORTFALL, clear, fee, bank(provider)]
    found = system_accounts(books, codes=codes) if books else {}
    wanted = {
        *(
            (code, each.book_id, each.currency)
            for each in paid
            for code in (clear, fee, SHORTFALL)
        ),
        *((clear, each.book_id, each.currency) for each in moved),
        *((SUSPENSE, each.book_id, each.currency) for each in returned),
    }
    one_at_a_time([f"account:{':'.join(map(str, key))}" for key in wanted - found.keys()])
    return found


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


def _transfer_ids(news: Iterable[Meaning], *, words: Container[Word]) -> set[UUID]:
    """Return the payouts of ours of which a bank says one of these words."""
    notices = (each for each in news if isinstance(each, TransferNotice) and each.state in words)
    return {key for each in notices if (key := each.transfer_id)}
