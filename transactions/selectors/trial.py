"""The trial balance: every account of a book at one instant, by either clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.scopes import visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import Book
from transactions.selectors.archive import asking
from transactions.selectors.clocks import TICK
from transactions.states import Clock

# The books' own accounts first, then the customers', each by its name.
TRIAL: Final = """
SELECT a.id, a.code, a.currency, a.keeps_balance, s.balance_minor
FROM ledger_stand_before(
    ARRAY(SELECT id FROM transactions_ledgeraccount WHERE book_id = %s), %s, %s
) AS s
INNER JOIN transactions_ledgeraccount AS a ON a.id = s.account_id
WHERE s.postings > 0
ORDER BY a.currency, a.keeps_balance, a.code
"""
KEPT: Final = """
SELECT a.id, a.code, a.currency, a.keeps_balance, b.balance_minor
FROM transactions_closedbalance AS b
INNER JOIN transactions_ledgeraccount AS a ON a.id = b.account_id
WHERE b.book_id = %s AND b.month = %s
ORDER BY a.currency, a.keeps_balance, a.code
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """One account: what stands on it is in exactly one of the two columns."""

    account_id: UUID
    code: str
    is_customers: bool
    balance_minor: int

    @property
    def debit_minor(self) -> int:
        """Return what others hold for us or was spent: an account that stands below zero."""
        return max(-self.balance_minor, 0)

    @property
    def credit_minor(self) -> int:
        """Return what we hold for others: an account that stands above zero."""
        return max(self.balance_minor, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """All accounts of one book in one currency. Its columns have the same sum."""

    currency: str
    lines: Sequence[TrialLine]

    @property
    def debit_minor(self) -> int:
        """Return the sum of the left column."""
        return sum(line.debit_minor for line in self.lines)

    @property
    def credit_minor(self) -> int:
        """Return the sum of the right column."""
        return sum(line.credit_minor for line in self.lines)

    @property
    def is_even(self) -> bool:
        """Say whether the columns have the same sum, as they must."""
        return self.debit_minor == self.credit_minor


def listed_books(*, to: Actor) -> Sequence[Book]:
    """Return the books `to` may see as a whole, by name."""
    return list(visible_books(Book.objects.select_related("partner"), to=to).order_by("name"))


def access_book(book_id: UUID | str, *, actor: Actor) -> Book:
    """Return one book `actor` may see as a whole; NotFound for any other."""
    found = visible_books(Book.objects.all(), to=actor).filter(pk=book_id).first()
    if found is None:
        raise NotFound(ref=f"book:{book_id}")
    return found


def trial_balances(book: Book, *, at: datetime, clock: Clock) -> Sequence[TrialBalance]:
    """Return a book's trial balance at an instant, one a currency, all of one moment.

    InstantArchived where that is put away.
    """
    with asking(clock), connection.cursor() as cursor:
        cursor.execute(TRIAL, [book.pk, clock.value, at + TICK])
        return _in_columns(cursor.fetchall())


def closed_trial_balances(book: Book, *, month: date) -> Sequence[TrialBalance]:
    """Return a book's trial balance as it was kept when a month was closed, by when written."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [book.pk, month])
        return _in_columns(cursor.fetchall())


def _in_columns(rows: Sequence[tuple[Any, ...]]) -> Sequence[TrialBalance]:
    """Return rows of id, code, currency, whether a customer's, and balance, by currency."""
    return [
        TrialBalance(
            currency=currency,
            lines=[
                TrialLine(account_id=key, code=code, is_customers=keeps, balance_minor=balance)
                for key, code, each, keeps, balance in rows
                if each == currency
            ],
        )
        for currency in dict.fromkeys(row[2] for row in rows)
    ]
