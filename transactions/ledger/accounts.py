"""The books' own accounts: where money stands between a partner and the world."""

from uuid import UUID

from transactions.models import Book, LedgerAccount

SUSPENSE = "suspense"
SHORTFALL = "shortfall"
INTERBOOK = "interbook:"
OUR_FEES = "fees:house"
FX = "fx"


def clearing(provider: str) -> str:
    """Return the code of what a provider holds for us."""
    return f"clearing:{provider}"


def fees(provider: str) -> str:
    """Return the code of what a provider kept for itself."""
    return f"fees:{provider}"


def bank(provider: str) -> str:
    """Return the code of our own bank account that a provider pays out to."""
    return f"bank:{provider}"


def interbook(name: str) -> str:
    """Return the code of what another book, by its name, owes this one."""
    return f"{INTERBOOK}{name}"


def system_account(code: str, *, book_id: UUID, currency: str) -> LedgerAccount:
    """Return the book's account of this code and currency, opening it if it is the first.

    The caller's entry touches it if it was opened just now: see `newly_opened`.
    """
    account, _ = LedgerAccount.objects.get_or_create(
        book_id=book_id, code=code, currency=currency, defaults={"keeps_balance": False}
    )
    return account


def newly_opened(*accounts: LedgerAccount) -> list[LedgerAccount]:
    """Return those of `accounts` that this transaction opened, for the entry to touch."""
    return [account for account in accounts if account._loaded is None]  # noqa: SLF001


def house_book() -> Book:
    """Return the house's own book: money whose owner is not known yet lands there."""
    return Book.objects.get(partner__isnull=True)
