"""Amounts as staff type them: what two readers may read as two amounts is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactions.admin.amounts import read_money, read_signed_money
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money


@pytest.mark.parametrize(
    ("text", "currency", "example"),
    [
        ("1,250", "BHD", "1250.000"),
        ("1,250", "EUR", "1250.00"),
        ("1,250.00", "EUR", "1250.00"),
        ("1,25", "EUR", "1250.00"),
        ("1.250,00", "EUR", "1250.00"),
        ("1,250", "JPY", "1250"),
        ("lots", "EUR", "1250.00"),
    ],
)
def test_a_comma_is_refused_and_the_answer_says_how_to_write(
    text: str, currency: str, example: str
) -> None:
    for read in (read_money, read_signed_money):
        with pytest.raises(ValueError, match=rf"digits and no commas, e\.g\. {example}$"):
            read(text, currency=currency)


@given(st.integers(1, AMOUNT_MINOR_MAX), st.sampled_from(sorted(EXPONENTS)))
def test_every_amount_that_is_written_out_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert read_money(money.figures(), currency=currency) == money
    assert read_signed_money((-money).figures(), currency=currency) == -money
