"""T52: money is exact: shown, read, split and put together again, in every currency there is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.providers.stripe.currencies import iso_minor
from integrations.providers.stripe.reading import AMOUNT_MINOR_MAX as SENT_MAX
from integrations.providers.stripe.reading import Node
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import committed
from transactions.meanings import Movement, MovementKind, NotUnderstood
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money, NotMoney
from transactions.services.movements import book_movement

__all__ = ["committed"]
CASES_SHORT, CASES_FULL, AT_ONCE = 500, 100_000, 25
SHOWN = re.compile(r"(-?)(\d{1,3}(?:,\d{3})*)(?:\.(\d+))? ([A-Z]{3})", re.ASCII)
# What ISO 4217 says of these, and what Stripe says where it differs.
KNOWN = {"JPY": 0, "EUR": 2, "BHD": 3, "ISK": 0, "UGX": 0, "MGA": 2, "CLP": 0, "TND": 3}
STRIPE_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
Law = Callable[..., None]


def obeyed(law: Law, *, cases: int, at_once: int = 1) -> None:
    """Try a law on so many cases, `at_once` an example, the same in every run."""

    def on_all(drawn: list[dict[str, Any]]) -> None:
        for case in drawn:
            law(**case)

    one = st.fixed_dictionaries(LAWS[law])
    tried = given(drawn=st.lists(one, min_size=at_once, max_size=at_once))(on_all)
    settings(
        max_examples=cases // at_once,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(tried)()


def what_is_shown_is_what_it_is(amount: int, currency: str) -> None:
    """Read the words back digit by digit: nothing was rounded, shifted or dropped."""
    found = SHOWN.fullmatch(str(Money(amount, currency)))
    assert found is not None
    sign, whole, part, shown_currency = found.groups()
    assert (shown_currency, len(part or "")) == (currency, EXPONENTS[currency])
    assert int(f"{sign}{whole.replace(',', '')}{part or ''}") == amount


def turned_twice_it_is_the_same(amount: int, currency: str) -> None:
    """Turn it round twice, and add it to its opposite."""
    money = Money(amount, currency)
    opposite = -money
    assert -opposite == money
    assert money.amount_minor + opposite.amount_minor == 0


def what_is_not_whole_is_no_money(amount: object) -> None:
    """Offer everything that is not a whole number."""
    with pytest.raises(NotMoney):
        Money(amount, "EUR")  # type: ignore[arg-type]


def stripes_units_are_read_exactly_or_not_at_all(amount: int, currency: str) -> None:
    """Compare with the same amount in the smaller of both units: equal, or refused."""
    ours, theirs = EXPONENTS[currency], STRIPE_DIGITS.get(currency, EXPONENTS[currency])
    smallest = max(ours, theirs)
    try:
        read = iso_minor(Node(amount, "$.amount"), currency=currency.lower(), least=-SENT_MAX)
    except NotUnderstood:
        assert amount % 10 ** (theirs - ours)
    else:
        assert read * 10 ** (smallest - ours) == amount * 10 ** (smallest - theirs)


@pytest.mark.parametrize(("currency", "digits"), KNOWN.items())
def test_the_currencies_have_their_digits(currency: str, digits: int) -> None:
    assert EXPONENTS[currency] == digits


def cut(total: int, *, at: list[int]) -> list[int]:
    """Cut a total into parts at these places, in thousandths of it."""
    places = sorted(total * place // 1_000 for place in at)
    return [b - a for a, b in zip([0, *places], [*places, total], strict=True)]


def a_payment_given_back_in_parts_leaves_nothing(
    gross: int, share: int, places: list[int], currency: str
) -> None:
    """Take in a payment, give it back in parts and the fee with the last: all stands at zero."""
    purse = factories.account(currency=currency, holding_minor=0)
    fee = gross * share // 1_000
    taken = factories.charge(purse, amount_minor=gross, fee_minor=fee, currency=currency)
    book(taken)
    assert stands_at(purse.pk) == (gross, 0)
    *parts, last = [part for part in cut(gross, at=places) if part]
    for part in parts:
        book(factories.after(taken, kind=MovementKind.REFUND, amount_minor=-part))
    end = factories.after(taken, kind=MovementKind.REFUND, amount_minor=-last, fee_minor=-fee)
    book(end)
    assert stands_at(purse.pk) == (0, 0)
    assert moved(purse.book_id) == {}


@factories.set_up
def book(movement: Movement) -> None:
    """Book what a provider moved."""
    book_movement(actor=factories.provider(), movement=movement)


PURE: dict[Law, Any] = {
    what_is_shown_is_what_it_is: {"amount": amounts, "currency": currencies},
    turned_twice_it_is_the_same: {"amount": amounts, "currency": currencies},
    what_is_not_whole_is_no_money: {
        "amount": st.floats() | st.decimals() | st.booleans() | st.sampled_from([None, "1", b"1"])
    },
    stripes_units_are_read_exactly_or_not_at_all: {
        "amount": st.integers(-SENT_MAX, SENT_MAX),
        "currency": currencies,
    },
}
LAWS: dict[Law, Any] = PURE | {
    a_payment_given_back_in_parts_leaves_nothing: {
        "gross": st.integers(1, 10**12),
        "share": st.integers(0, 1_000),
        "places": st.lists(st.integers(0, 1_000), max_size=4),
        "currency": st.sampled_from(["EUR", "JPY", "BHD"]),
    }
}


def named(law: Law) -> str:
    return law.__name__


@pytest.mark.parametrize("law", PURE, ids=named)
def test_t52_short_a_law_of_money_is_obeyed(law: Law) -> None:
    obeyed(law, cases=CASES_SHORT, at_once=AT_ONCE)


@pytest.mark.full
@pytest.mark.parametrize("law", PURE, ids=named)
def test_t52_a_law_of_money_is_obeyed_a_hundred_thousand_times(law: Law) -> None:
    obeyed(law, cases=CASES_FULL, at_once=AT_ONCE)


@pytest.mark.usefixtures("committed")
def test_t52_short_a_split_payment_sums_to_nothing_in_the_books() -> None:
    obeyed(a_payment_given_back_in_parts_leaves_nothing, cases=5)
    assert_books_hold()


@pytest.mark.full
@pytest.mark.usefixtures("committed")
def test_t52_split_payments_sum_to_nothing_in_the_books() -> None:
    obeyed(a_payment_given_back_in_parts_leaves_nothing, cases=100)
    assert_books_hold()
