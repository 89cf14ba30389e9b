"""Laws of conversion: exact against rational numbers, half to even, across exponents."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactions.money import EXPONENTS, Money
from transactions.rates import read_rate

CURRENCIES = st.sampled_from(["JPY", "EUR", "BHD"])
RATES = st.builds(
    lambda whole, part: f"{whole}.{part}",
    st.integers(0, 10**10 - 1),
    st.text("0123456789", min_size=1, max_size=10),
).filter(lambda text: Fraction(text) > 0)


@given(amount=st.integers(1, 2**63 - 1), rate=RATES, sold=CURRENCIES, bought=CURRENCIES)
def test_a_sum_is_worth_the_rational_number_rounded_half_to_even(
    amount: int, rate: str, sold: str, bought: str
) -> None:
    exact = Fraction(amount, 10 ** EXPONENTS[sold]) * Fraction(rate) * 10 ** EXPONENTS[bought]
    # `round` of a Fraction is exact, and half to even by definition.
    assert read_rate(rate).of(Money(amount, sold), into=bought) == Money(round(exact), bought)


@pytest.mark.parametrize(
    ("sold", "rate", "bought"),
    [
        (Money(10_000, "EUR"), "163.25", Money(16_325, "JPY")),
        (Money(16_325, "JPY"), "0.0061255742", Money(10_000, "EUR")),
        (Money(10_000, "EUR"), "0.41", Money(41_000, "BHD")),
        (Money(1, "EUR"), "50", Money(0, "JPY")),
        (Money(3, "EUR"), "50", Money(2, "JPY")),
        (Money(5, "EUR"), "50", Money(2, "JPY")),
    ],
)
def test_rates_one_can_check_by_hand(sold: Money, rate: str, bought: Money) -> None:
    assert read_rate(rate).of(sold, into=bought.currency) == bought


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0.0",
        "-1",
        "+1",
        "1.",
        ".5",
        "1e3",
        "01",
        "1,5",
        "1.12345678901",
        "nan",
        "٣",
        "1 ",
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write the rate"):
        read_rate(text)
