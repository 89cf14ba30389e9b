"""What a sum is in another currency at a quoted rate: whole numbers, one rounding. Pure.

A rate is a decimal number, kept as the text it was quoted in and read as a ratio of integers. What
it yields is rounded half to even on whole minor units; there is no float and no Decimal.
"""

import re
from dataclasses import dataclass
from typing import Final

from transactions.money import EXPONENTS, Money

RATE: Final = re.compile(r"(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,10}))?")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many whole units of one currency one whole unit of another is worth: a ratio above 0."""

    numerator: int
    denominator: int

    def of(self, sold: Money, /, *, into: str) -> Money:
        """Return what `sold` is in the currency `into`, rounded half to even."""
        top = sold.amount_minor * self.numerator * 10 ** EXPONENTS[into]
        bottom = self.denominator * 10 ** EXPONENTS[sold.currency]
        whole, rest = divmod(top, bottom)
        is_up = 2 * rest > bottom or (2 * rest == bottom and whole % 2 == 1)
        return Money(whole + is_up, into)


def read_rate(text: str) -> Rate:
    """Return the rate that `text` spells, e.g. `163.25`; a ValueError that says what is wrong."""
    found = RATE.fullmatch(text)
    part = (found[2] or "") if found else ""
    numerator = int(found[1] + part) if found else 0
    if not numerator:
        raise ValueError("Write the rate with digits, above zero, e.g. 163.25")
    return Rate(numerator, 10 ** len(part))
