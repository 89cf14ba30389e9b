"""Money: a whole number of minor units in one currency. Pure: no Django.

Exponents are ISO 4217's (list one, active codes, without metals and test codes).
"""

from dataclasses import dataclass
from typing import Final

from audit.errors import Fault

AMOUNT_MINOR_MAX: Final = 2**63 - 1

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES
WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}


class NotMoney(Fault):
    """An amount or currency that no door should have let through."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units of one ISO 4217 currency.

    There is no float, no Decimal and no rounding in here.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is not a whole number of a known currency."""
        if type(self.amount_minor) is not int or self.currency not in EXPONENTS:
            raise NotMoney(f"{self.amount_minor!r} {self.currency!r}")

    def __neg__(self) -> "Money":
        """Flip the sign."""
        return Money(-self.amount_minor, self.currency)

    def __str__(self) -> str:
        """Show as people write it, e.g. `-1,234.50 EUR`, `500 JPY`, `1.234 BHD`."""
        return f"{self.figures(grouped=True)} {self.currency}"

    def figures(self, *, grouped: bool = False) -> str:
        """Return the amount without its currency: `-1234.50`, or grouped `-1,234.50`."""
        exponent = EXPONENTS[self.currency]
        sign = "-" if self.amount_minor < 0 else ""
        whole, part = divmod(abs(self.amount_minor), 10**exponent)
        tail = f".{part:0{exponent}d}" if exponent else ""
        return f"{sign}{whole:{',' if grouped else ''}}{tail}"
