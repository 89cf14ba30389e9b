"""Conversions: quoted by one, signed by another, balanced in each currency, and nobody's alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import Error
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Account, Letter
from accounts.roles import Role
from accounts.states import Verdict
from audit.errors import Invalid, NotPermitted
from tests import factories, four_eyes
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.models import Book, Journal, LedgerAccount, Posting
from transactions.selectors.clocks import balance_at
from transactions.selectors.trial import trial_balances
from transactions.services.accounts import request_closing
from transactions.services.conversions import post_conversion
from transactions.states import Clock

pytestmark = pytest.mark.role("worker")


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner with euros, with real commits."""
    with django_db_blocker.unblock():
        STAGE.enter("worker")
        yield factories.cast()
        STAGE.reclone()


@pytest.fixture
def yen(cast: Cast) -> Account:
    """An empty account in yen."""
    return factories.account(cast.portfolio, currency="JPY", holding_minor=0)


def position(cast: Cast, currency: str) -> int:
    """Return what the book's FX account of a currency stands at."""
    found = LedgerAccount.objects.filter(
        book_id=cast.partner.book_id, code="fx", currency=currency
    ).first()
    return balance_at(found.pk) if found else 0


def test_one_journal_balances_in_each_currency_through_the_fx_accounts(
    cast: Cast, yen: Account
) -> None:
    before = stands_at(cast.giver.pk)[0], position(cast, "EUR"), position(cast, "JPY")
    proposed = factories.conversion(cast, to=yen)
    assert stands_at(yen.pk) == (0, 0)
    assert four_eyes.carry_out(proposed.approval).state == "used"
    assert stands_at(cast.giver.pk)[0] == before[0] - 10_000
    assert stands_at(yen.pk) == (16_325, 0)
    assert position(cast, "EUR") == before[1] + 10_000
    assert position(cast, "JPY") == before[2] - 16_325
    journal = Journal.objects.get(origin=proposed.audit_ref)
    sums: dict[str, int] = {}
    for line in Posting.objects.filter(journal_id=journal.pk):
        sums[line.currency] = sums.get(line.currency, 0) + line.amount_minor
    assert sums == {"EUR": 0, "JPY": 0}
    told = Letter.objects.filter(book_id=cast.partner.book_id).latest("id")
    assert (told.type, told.payload["rate"]) == ("conversion.posted", "163.25")
    assert_books_hold()


WRONG: dict[str, dict[str, Any]] = {
    "rate": {"bought_minor": 16_326},
    "reason": {"reason": " "},
    "evidence": {"evidence": ""},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_could_never_be_is_refused(cast: Cast, yen: Account, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        factories.conversion(cast, to=yen, **WRONG[name])
    assert list(refused.value.fields) == [name]


def test_amounts_that_are_not_each_others_say_what_the_rate_gives(
    cast: Cast, yen: Account
) -> None:
    with pytest.raises(Invalid) as refused:
        factories.conversion(cast, to=yen, bought_minor=16_000)
    assert refused.value.fields["rate"] == (
        "at this rate 100.00 EUR is 16,325 JPY, not 16,000 JPY"
    )


def test_it_stays_inside_one_book_and_leaves_its_currency(cast: Cast) -> None:
    elsewhere = factories.account(factories.cast().portfolio, currency="JPY", holding_minor=0)
    for to in (elsewhere, cast.taker):
        with pytest.raises(Invalid) as refused:
            factories.conversion(cast, to=to)
        assert list(refused.value.fields) == ["destination"]


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_only_finance_proposes(cast: Cast, yen: Account, role: Role) -> None:
    with pytest.raises(NotPermitted):
        factories.conversion(cast, to=yen, by=factories.colleague(role))


def test_a_rejected_one_moves_nothing(cast: Cast, yen: Account) -> None:
    proposed = factories.conversion(cast, to=yen)
    four_eyes.carry_out(proposed.approval, verdict=Verdict.REJECT)
    assert stands_at(yen.pk) == (0, 0)


def test_it_is_posted_once_however_many_carry_it_out(cast: Cast, yen: Account) -> None:
    proposed = factories.conversion(cast, to=yen)
    four_eyes.decide(proposed.approval)
    said = four_eyes.outcomes(
        lambda: post_conversion(actor=factories.SYSTEM, approval_id=proposed.approval_id)
    )
    assert said == ["already_decided"] * 3 + ["done"]
    assert stands_at(yen.pk) == (16_325, 0)


def test_without_the_money_it_waits_in_sight(yen: Account) -> None:
    poor = factories.cast(holding_minor=9_999)
    to = factories.account(poor.portfolio, currency="JPY", holding_minor=0)
    proposed = factories.conversion(poor, to=to)
    assert four_eyes.carry_out(proposed.approval).obstacle == "insufficient_funds"
    assert stands_at(poor.giver.pk) == (9_999, 0)


def test_out_of_an_account_that_was_closed_meanwhile_it_waits_in_sight() -> None:
    poor = factories.cast(holding_minor=0)
    to = factories.account(poor.portfolio, currency="JPY", holding_minor=0)
    proposed = factories.conversion(poor, to=to)
    with STAGE.as_role("admin"):
        asked = request_closing(
            actor=factories.colleague(Role.FINANCE_OPERATOR),
            account_id=poor.giver.pk,
            reason="asked for",
        )
    assert four_eyes.carry_out(asked).state == "used"
    assert four_eyes.carry_out(proposed.approval).obstacle == "account_closed"


def test_the_database_books_no_exchange_that_nobody_signed(cast: Cast, yen: Account) -> None:
    four_eyes.carry_out(factories.conversion(cast, to=yen).approval)
    proposed = factories.conversion(cast, to=yen)
    fx = LedgerAccount.objects.get(book_id=cast.partner.book_id, code="fx", currency="EUR")
    journal = {
        "book": str(cast.partner.book_id),
        "purpose": "conversion",
        "subject": proposed.audit_ref,
        "origin": proposed.audit_ref,
    }
    with pytest.raises(Error, match="conversion_signed"):
        four_eyes.post_raw(journal, lines=[(cast.giver.pk, -10_000), (fx.pk, 10_000)])
    with STAGE.as_role("migrator"), pytest.raises(Error, match="proposal_fixed"):
        four_eyes.commit(
            "UPDATE transactions_conversion SET bought_minor = 1 WHERE id = %s", proposed.pk
        )


def test_the_position_stands_on_the_trial_balance(cast: Cast, yen: Account) -> None:
    four_eyes.carry_out(factories.conversion(cast, to=yen).approval)
    book = Book.objects.get(pk=cast.partner.book_id)
    shown = {
        sheet.currency: {line.code: line.balance_minor for line in sheet.lines}
        for sheet in trial_balances(book, at=timezone.now(), clock=Clock.RECORDED)
        if sheet.is_even
    }
    for currency in ("EUR", "JPY"):
        assert shown[currency]["fx"] == position(cast, currency) != 0
