"""Who lives in the demo world. Nobody here exists: the customers are the names that forms use.

Every domain ends in `.example`, and the bank code of every IBAN belongs to no bank. Pure.
"""

from dataclasses import dataclass, field
from typing import Final

from accounts.roles import Role
from transactions.orders import Payee

BANK_CODE: Final = "99999999"
DE_IN_DIGITS: Final = "1314"


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """One member of staff with one role."""

    name: str
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """One account to open. `opening_minor` is what it brings from the former books."""

    name: str
    currency: str
    opening_minor: int
    limit_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One customer, their portfolio and accounts; the partner itself where `name` is empty."""

    portfolio: str
    purses: tuple[Purse, ...]
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """One partner: its threshold for a second person, and its customers."""

    name: str
    slug: str
    threshold_minor: int
    clients: tuple[Client, ...] = field(repr=False)

    @property
    def portfolios(self) -> tuple[str, ...]:
        """Return its portfolios in the order in which customers name them."""
        return tuple(dict.fromkeys(client.portfolio for client in self.clients))


def _operating(currency: str, opening_minor: int) -> Purse:
    return Purse(name=f"Operating {currency}", currency=currency, opening_minor=opening_minor)


def _current(currency: str, opening_minor: int, *, limit_minor: int | None = None) -> Purse:
    return Purse(
        name="Current account",
        currency=currency,
        opening_minor=opening_minor,
        limit_minor=limit_minor,
    )


def _client(portfolio: str, name: str, *purses: Purse) -> Client:
    local = name.lower().replace(" ", ".").replace("ä", "a").replace("é", "e")
    return Client(
        portfolio=portfolio, name=name, email=f"{local}@post.example", purses=tuple(purses)
    )


STAFF: Final = (
    Employee(name="Sam Sample", email="sam.support@countersign.example", role=Role.SUPPORT_AGENT),
    Employee(
        name="Fiona Figures", email="fiona.finance@countersign.example", role=Role.FINANCE_OPERATOR
    ),
    # Whoever freezes needs a second one: to confirm it, and to lift it.
    Employee(
        name="Connor Clause",
        email="connor.compliance@countersign.example",
        role=Role.COMPLIANCE_OFFICER,
    ),
    Employee(
        name="Cora Comma",
        email="cora.compliance@countersign.example",
        role=Role.COMPLIANCE_OFFICER,
    ),
    Employee(name="Arno Abacus", email="arno.auditor@countersign.example", role=Role.AUDITOR),
)
# The portfolio that the support agent looks after, and may see.
SUPPORTED: Final = ("acme-pay", "Retail")

ACME: Final = Firm(
    name="Acme Pay",
    slug="acme-pay",
    threshold_minor=100_000,
    clients=(
        Client(
            portfolio="Treasury",
            purses=(
                _operating("EUR", 9_500_000),
                _operating("USD", 6_200_000),
                _operating("JPY", 4_800_000),
            ),
        ),
        _client("Retail", "Erika Mustermann", _current("EUR", 420_000, limit_minor=500_000)),
        _client(
            "Retail",
            "John Doe",
            _current("EUR", 310_000, limit_minor=500_000),
            _current("USD", 540_000),
        ),
        _client("Retail", "Jane Doe", _current("EUR", 275_000), _current("USD", 385_000)),
        _client("Retail", "Taro Yamada", _current("JPY", 620_000), _current("EUR", 150_000)),
        _client("Merchants", "Jean Dupont", _current("EUR", 1_250_000)),
        _client("Merchants", "Mario Rossi", _current("EUR", 980_000)),
        _client("Merchants", "Matti Meikäläinen", _current("EUR", 730_000)),
    ),
)
BOREALIS: Final = Firm(
    name="Borealis",
    slug="borealis",
    threshold_minor=250_000,
    clients=(
        Client(
            portfolio="Treasury",
            purses=(_operating("EUR", 7_400_000), _operating("USD", 1_900_000)),
        ),
        _client("Consumers", "Kari Nordmann", _current("EUR", 260_000)),
        _client("Consumers", "Medel Svensson", _current("EUR", 345_000, limit_minor=300_000)),
        _client("Consumers", "Jan Kowalski", _current("EUR", 190_000), _current("USD", 210_000)),
        _client("Business", "Jan Modaal", _current("EUR", 860_000)),
        _client("Business", "Fulano de Tal", _current("EUR", 615_000)),
    ),
)
FIRMS: Final = (ACME, BOREALIS)


def iban(number: int) -> str:
    """Return a well-formed German IBAN at a bank that does not exist."""
    basic = f"{BANK_CODE}{number:010d}"
    check = 98 - int(f"{basic}{DE_IN_DIGITS}00") % 97
    return f"DE{check:02d}{basic}"


def payee(name: str, *, number: int) -> Payee:
    """Return somebody outside the house."""
    return Payee(name=name, iban=iban(number))


PAYEES: Final = tuple(
    payee(name, number=1000 + number)
    for number, name in enumerate(
        (
            "Contoso Office Supplies",
            "Example Power and Light",
            "Fabrikam Logistics",
            "Foo Bar Catering",
            "Lorem Ipsum Print",
            "Northwind Foods",
            "Acme Anvils",
            "Widgets and Sons",
            "Juan Nadie",
            "Ola Nordmann",
            "Anna Malli",
            "Joe Bloggs",
        )
    )
)
