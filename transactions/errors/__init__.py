"""Every no this app can say."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class WrongState(Refusal):
    """This is past the point where that can be done."""

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
class BalanceTooLarge(Refusal):
    """With this the account would hold, or set aside, more than the books can count."""

    code = "balance_too_large"
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
class PartnerSuspended(Refusal):
    """The partner is suspended: no account is opened for it."""

    code = "partner_suspended"
    kind = RefusalKind.CONFLICT
    transient = False

    partner: str


@dataclass(eq=False, kw_only=True)
class AccountNotEmpty(Refusal):
    """The account cannot be closed: money, a payout or a freeze is still on it."""

    code = "account_not_empty"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class LimitExceeded(Refusal):
    """This would pass a limit set for the account or for all of its partner's."""

    code = "limit_exceeded"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str
    limit: str
    scope: str
    what: str
    window: str
    measure: str
    most: int
    left: int


@dataclass(eq=False, kw_only=True)
class HoldExpired(Refusal):
    """The hold has expired: its money is no longer set aside."""

    code = "hold_expired"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class HoldExceeded(Refusal):
    """The hold has less left than this would capture."""

    code = "hold_exceeded"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    remaining_minor: int


@dataclass(eq=False, kw_only=True)
class ReversalExceeded(Refusal):
    """Less than this is left of the transfer to reverse."""

    code = "reversal_exceeded"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    remaining_minor: int


@dataclass(eq=False, kw_only=True)
class NotReversible(Refusal):
    """This money is at a bank or with another partner: you cannot take it back."""

    code = "not_reversible"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class CurrencyMismatch(Refusal):
    """The amount's currency is not the account's."""

    code = "currency_mismatch"
    kind = RefusalKind.INVALID
    transient = False

    fields: dict[str, str]


@dataclass(eq=False, kw_only=True)
class DestinationUnavailable(Refusal):
    """No account takes this money from you under that alias."""

    code = "destination_unavailable"
    kind = RefusalKind.MISSING
    transient = False

    alias: str


@dataclass(eq=False, kw_only=True)
class SignatureNeeded(Refusal):
    """So much leaves only with a second signature, and this way has none."""

    code = "signature_needed"
    kind = RefusalKind.CONFLICT
    transient = False

    threshold_minor: int


@dataclass(eq=False, kw_only=True)
class AlreadyBooked(Refusal):
    """This money is in the books already, under the same origin."""

    code = "already_booked"
    kind = RefusalKind.CONFLICT
    transient = False

    origin: str


@dataclass(eq=False, kw_only=True)
class PayeeNotRegistered(Refusal):
    """The payee is not in the register, and only registered payees are paid."""

    code = "payee_not_registered"
    kind = RefusalKind.CONFLICT
    transient = False


@dataclass(eq=False, kw_only=True)
class PayeeCooling(Refusal):
    """The payee's bank details are too new to be paid."""

    code = "payee_cooling"
    kind = RefusalKind.CONFLICT
    transient = True

    payable_from: str


@dataclass(eq=False, kw_only=True)
class MoreThanRemains(Refusal):
    """This is more than what remains of it."""

    code = "more_than_remains"
    kind = RefusalKind.CONFLICT
    transient = False

    remains_minor: int


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


@dataclass(eq=False, kw_only=True)
class StatementTooLong(Refusal):
    """There are more lines in this period than one statement holds; ask for a shorter one."""

    code = "statement_too_long"
    kind = RefusalKind.INVALID
    transient = False

    lines: int
    lines_max: int


@dataclass(eq=False, kw_only=True)
class FileKnown(Refusal):
    """A file with exactly these transfers was uploaded before."""

    code = "file_known"
    kind = RefusalKind.CONFLICT
    transient = False

    rows_sha256: str
