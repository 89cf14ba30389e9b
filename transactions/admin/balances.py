"""What an account's balance says, for its page."""

from collections.abc import Callable

from accounts.models import Account
from audit.adminparts import EMPTY, display
from transactions.money import Money
from transactions.selectors.pages import balance_of


def kept(name: str, *, title: str) -> Callable[..., str]:
    """Return a field that shows one amount of the account's balance, e.g. `pending_minor`."""

    @display(description=title)
    def amount(_: object, row: Account) -> str:
        balance = balance_of(row.pk)
        return str(Money(getattr(balance, name), row.currency)) if balance else EMPTY

    return amount
