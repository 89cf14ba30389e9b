"""Stripe's minor units against ISO 4217's. They agree but for three currencies. Pure.

Source: Stripe's page on supported currencies. Zero-decimal and three-decimal currencies (JPY,
KRW, BHD, ...) are as in ISO 4217; ISK and UGX are still sent with two decimals that are always
00; MGA is sent whole though ISO 4217 gives it two decimals.
"""

from typing import Final

from integrations.providers.stripe.reading import Node

_SENT_WITH_TWO_ZEROES: Final = frozenset({"isk", "ugx"})
_SENT_WHOLE: Final = frozenset({"mga"})
_HUNDRED: Final = 100


def iso_minor(amount: Node, *, currency: str, least: int = 0) -> int:
    """Return `amount`, in Stripe's minor units of `currency`, in ISO 4217's; exact or refused."""
    number = amount.whole(least=least)
    if currency in _SENT_WHOLE:
        return number * _HUNDRED
    if currency not in _SENT_WITH_TWO_ZEROES:
        return number
    if number % _HUNDRED:
        amount.refuse(f"a multiple of {_HUNDRED}, as {currency} has no minor unit")
    return number // _HUNDRED
