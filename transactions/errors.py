"""Every no this app can say."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class WrongState(Refusal):
    """The transfer is past the point where this can be done."""

    code = "wrong_state"
    kind = RefusalKind.CONFLICT
    transient = False

    state: str
    wanted: str


@dataclass(eq=False, kw_only=True)
class InsufficientFunds(Refusal):
    """The account does not hold enough available money for this."""

    # Lasting, though money may come: a retry of an old key must not pay out hours later.
    code = "insufficient_funds"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class AccountFrozen(Refusal):
    """The account is frozen in the direction this money would move."""

    code = "account_frozen"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class AccountClosed(Refusal):
    """The account is closed: no money arrives on it or leaves it."""

    code = "account_closed"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class AccountNotEmpty(Refusal):
    """The account cannot be closed: money, a payout or a freeze is still on it."""

    code = "account_not_empty"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class LimitExceeded(Refusal):
    """This would pass a limit set for the account."""

    code = "limit_exceeded"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str
    window: str
    limit_minor: int


@dataclass(eq=False, kw_only=True)
class CurrencyMismatch(Refusal):
    """The amount's currency is not the account's."""

    code = "currency_mismatch"
    kind = RefusalKind.INVALID
    transient = False

    fields: dict[str, str]


@dataclass(eq=False, kw_only=True)
class AlreadyBooked(Refusal):
    """This money is in the books already, under the same origin."""

    code = "already_booked"
    kind = RefusalKind.CONFLICT
    transient = False

    origin: str


@dataclass(eq=False, kw_only=True)
class Contradiction(Refusal):
    """The provider's word contradicts what the books already hold."""

    code = "contradiction"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    detail: str


@dataclass(eq=False, kw_only=True)
class NothingChanged(Refusal):
    """The provider said nothing that was not known before."""

    code = "nothing_changed"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class TooEarly(Refusal):
    """This news belongs after other news that has not come yet."""

    code = "too_early"
    kind = RefusalKind.CONFLICT
    transient = True

    ref: str
