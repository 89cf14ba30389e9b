"""What a bank says of payouts, for tests: sent, spoken of, and taken in."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils import timezone

from accounts.models import Account
from accounts.states import FreezeMode
from tests import factories
from tests.factories import Cast
from transactions.meanings import Meaning, TransferNotice
from transactions.meanings import TransferState as Word
from transactions.models import Transfer
from transactions.reports import Outcome, Report
from transactions.services.freezes import freeze_account
from transactions.services.news import take_news
from transactions.states import TransferState

BANK = factories.provider("testbank")
S = TransferState


def told(transfer: Transfer, word: Word, **changes: Any) -> TransferNotice:
    """Return what the bank says of a payout; it calls it by one name."""
    notice = TransferNotice(
        provider="testbank",
        reference=transfer.public_id,
        provider_ref=f"pay_{transfer.pk.hex}",
        state=word,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        reason="account_closed",
        occurred_at=timezone.now(),
    )
    return replace(notice, **changes)


def report(*meanings: Meaning) -> Report:
    """Return a callback that says this, under a trace of its own."""
    number = next(factories.numbers)
    return Report(credential=f"callback:{number}", trace_id=f"{number:032x}", meanings=meanings)


def take(*notices: Meaning) -> list[Outcome]:
    """Take what the bank says, a callback each, all at once."""
    reports = [report(each) for each in notices]
    return take_news(actor=BANK, provider="testbank", reports=reports)


def codes(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what each outcome says."""
    return [each.said for each in outcomes]


def sent(cast: Cast, *, count: int) -> list[Transfer]:
    """Return payouts that the bank has been sent."""
    return [factories.payout(cast, state=S.DISPATCHED) for _ in range(count)]


@factories.set_up
def take_no_credits(account: Account) -> None:
    """Let nothing arrive on an account."""
    freeze_account(
        actor=factories.colleague(),
        account_id=account.pk,
        mode=FreezeMode.CREDITS,
        reason="test",
        legal_reference="",
    )
