"""Money as people type it, read exactly, and as tables show it."""

import re
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money

AMOUNT: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,3}))?")
MINUS: Final = ("-", "−")  # noqa: RUF001 - the sign that spreadsheets paste


def unbroken(money: Money) -> SafeString:
    """Return money for a table's cell: never broken over two lines."""
    return format_html('<span class="cs-money">{}</span>', money)


def read_money(text: str, *, currency: str) -> Money:
    """Return the money that `text` spells, exactly; a ValueError that says what is wrong.

    No comma: 1,250 is a thousand to one reader and a fraction to the next.
    """
    found, exponent = AMOUNT.fullmatch(text.strip()), EXPONENTS[currency]
    if found is None:
        example = Money(1250 * 10**exponent, currency).figures()
        raise ValueError(f"Write the amount with digits and no commas, e.g. {example}")
    part = found[2] or ""
    if len(part) > exponent:
        raise ValueError(f"{currency} has {exponent} decimals.")
    minor = int(found[1] + part.ljust(exponent, "0"))
    if not 0 < minor <= AMOUNT_MINOR_MAX:
        raise ValueError("The amount must be above zero and within what the books can hold.")
    return Money(minor, currency)


def read_signed_money(text: str, *, currency: str) -> Money:
    """Return the money that `text` spells, with its sign: `-1250.00` leaves an account."""
    plain = text.strip()
    if plain.startswith(MINUS):
        return -read_money(plain[1:], currency=currency)
    return read_money(plain.removeprefix("+"), currency=currency)
