"""Laws of the fee: exact against rational numbers, half to even, in JPY, EUR and BHD alike."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactions.fees import BPS, FeeTerms, part_of
from transactions.money import AMOUNT_MINOR_MAX, Money

AMOUNTS = st.integers(1, AMOUNT_MINOR_MAX) | st.integers(1, 100_000)
RATES = st.integers(0, BPS)
SMALL = st.integers(0, 10_000)


@st.composite
def terms(draw: st.DrawFn) -> FeeTerms:
    """Return terms that a rule may have."""
    least = draw(SMALL)
    cap = draw(st.none() | st.integers(least, least + 10_000))
    return FeeTerms(flat_minor=draw(SMALL), bps=draw(RATES), minimum_minor=least, cap_minor=cap)


@given(amount=AMOUNTS, bps=RATES)
def test_the_part_is_the_rational_number_rounded_half_to_even(amount: int, bps: int) -> None:
    # `round` of a Fraction is exact, and half to even by definition.
    assert part_of(amount, bps=bps) == round(Fraction(amount * bps, BPS))


@given(terms=terms(), amount=AMOUNTS)
def test_a_fee_is_flat_plus_part_within_minimum_and_cap(terms: FeeTerms, amount: int) -> None:
    fee = terms.on(amount)
    raw = terms.flat_minor + part_of(amount, bps=terms.bps)
    most = raw if terms.cap_minor is None else terms.cap_minor
    assert type(fee) is int
    assert fee >= terms.minimum_minor
    assert fee == raw or fee in {terms.minimum_minor, most}
    assert terms.cap_minor is None or fee <= terms.cap_minor


@given(terms=terms(), amount=st.integers(1, AMOUNT_MINOR_MAX - 1))
def test_a_larger_amount_never_costs_less(terms: FeeTerms, amount: int) -> None:
    assert terms.on(amount) <= terms.on(amount + 1)


@given(bps=RATES, amounts=st.lists(st.integers(1, 10**9), max_size=20))
def test_splitting_a_transfer_saves_at_most_half_a_unit_a_piece(
    bps: int, amounts: list[int]
) -> None:
    together = part_of(sum(amounts), bps=bps)
    apart = sum(part_of(amount, bps=bps) for amount in amounts)
    assert 2 * abs(together - apart) <= len(amounts) + 1


@pytest.mark.parametrize(
    ("currency", "terms", "amount", "shown"),
    [
        # 0.5 of a unit goes to 0, 1.5 to 2, 2.5 to 2: half to even, in each exponent's own units.
        ("JPY", FeeTerms(bps=50), 100, "0 JPY"),
        ("JPY", FeeTerms(bps=50), 300, "2 JPY"),
        ("JPY", FeeTerms(bps=50), 500, "2 JPY"),
        ("EUR", FeeTerms(bps=50), 100, "0.00 EUR"),
        ("EUR", FeeTerms(bps=50), 300, "0.02 EUR"),
        ("BHD", FeeTerms(bps=50), 300, "0.002 BHD"),
        ("JPY", FeeTerms(flat_minor=40, bps=29), 12_345, "76 JPY"),
        ("EUR", FeeTerms(flat_minor=25, bps=29), 12_345, "0.61 EUR"),
        ("BHD", FeeTerms(flat_minor=100, bps=29), 12_345, "0.136 BHD"),
        ("EUR", FeeTerms(bps=100, minimum_minor=50), 1_000, "0.50 EUR"),
        ("EUR", FeeTerms(bps=100, cap_minor=500), 100_000, "5.00 EUR"),
        ("EUR", FeeTerms(), 100_000, "0.00 EUR"),
    ],
)
def test_fees_one_can_check_by_hand(
    currency: str, terms: FeeTerms, amount: int, shown: str
) -> None:
    assert str(Money(terms.on(amount), currency)) == shown
