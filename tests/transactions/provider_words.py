"""What a provider says of payments, for tests: spoken of, and taken in."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from accounts.models import Account
from tests import factories
from transactions.meanings import (
    Meaning,
    Movement,
    PaymentNotice,
)
from transactions.reports import Outcome, Report
from transactions.services.news import take_news

STRIPE = factories.provider("stripe")


def report(*meanings: Meaning) -> Report:
    """Return a callback that says this, under a trace of its own."""
    number = next(factories.numbers)
    return Report(credential=f"callback:{number}", trace_id=f"{number:032x}", meanings=meanings)


def take(*reports: Report) -> list[Outcome]:
    """Take reports as Stripe's, all at once."""
    return take_news(actor=STRIPE, provider="stripe", reports=reports)


def codes(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what each outcome says."""
    return [each.said for each in outcomes]


def sale(taker: Account | None, **changes: Any) -> tuple[PaymentNotice, Movement]:
    """Return what Stripe says of one sale: how it stands, and what it moved."""
    told = factories.notice(taker)
    charge = factories.charge(taker, **changes)
    return told, replace(charge, payment_ref=told.reference, subject_ref=told.reference)
