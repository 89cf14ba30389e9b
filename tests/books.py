"""The one oracle: recomputes every balance, journal and witness from rows, whoever wrote them."""

from uuid import UUID

from transactions.models import Balance, LedgerAccount, Posting
from transactions.selectors.invariants import violations


def assert_books_hold() -> None:
    """Fail naming every invariant that is broken. Reads as the migrator, who may read all."""
    from tests.conftest import STAGE  # pytest imports it first, under this name

    with STAGE.as_role("migrator"):
        found = violations()
    assert not found, "\n".join(found)


def stands_at(account_id: UUID) -> tuple[int, int]:
    """Return what an account holds and what of it is reserved."""
    balance = Balance.objects.get(pk=account_id)
    return balance.posted_minor, balance.pending_minor


def moved(book_id: UUID) -> dict[str, int]:
    """Return the sum of postings on each system account of a book, by code; without zeros."""
    codes = dict(
        LedgerAccount.objects.filter(book_id=book_id, keeps_balance=False).values_list(
            "pk", "code"
        )
    )
    sums: dict[str, int] = {}
    for posting in Posting.objects.filter(account_id__in=list(codes)):
        code = codes[posting.account_id]
        sums[code] = sums.get(code, 0) + posting.amount_minor
    return {code: total for code, total in sums.items() if total}
