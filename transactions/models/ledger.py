"""The books: accounts, balances, journals and postings. Written only by `transactions.ledger`.

A posting above zero is money that arrives in its account, below zero money
that leaves it; a journal sums to zero per currency. Customers' accounts stand
above zero while they have money; what providers and banks hold for us stands
below zero on the accounts that mirror them.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Partner
from audit.history import Guarded
from transactions.money import Money


class Book(Guarded):
    """One set of accounts whose journals never leave it. One a partner; the house has its own."""

    prefix: ClassVar[str] = "bok"

    partner = models.OneToOneField(Partner, on_delete=models.PROTECT, null=True)
    name = models.CharField(max_length=120)
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="book_one_house", fields=["partner"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        """Show the name."""
        return self.name


class LedgerAccount(Guarded):
    """A place money can be, in one book and one currency. Its identity never changes.

    A customer's account has the id of its `accounts.Account` and a Balance row.
    Hot system accounts (`clearing:stripe`, `fees:stripe`, `suspense`, …) keep
    no running balance: theirs is the sum of their postings.
    """

    prefix: ClassVar[str] = "acc"

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="accounts")
    code = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    keeps_balance = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="ledger_account_code_once", fields=["book", "code", "currency"]
            ),
        ]

    def __str__(self) -> str:
        """Show code and currency."""
        return f"{self.code} {self.currency}"


class Balance(models.Model):
    """What one account holds: posted, reserved (pending), held back, floor, stop bits, version.

    Derived from postings and holds, its account and its freezes; changed only by
    the ledger's database functions. `held_back_minor` may be more than there is:
    what arrives is then held back too.
    """

    account = models.OneToOneField(
        LedgerAccount, on_delete=models.PROTECT, primary_key=True, related_name="balance"
    )
    book_id = models.UUIDField()
    posted_minor = models.BigIntegerField(default=0)
    pending_minor = models.BigIntegerField(default=0)
    floor_minor = models.BigIntegerField(default=0)
    held_back_minor = models.BigIntegerField(default=0, db_default=0)
    # 1 stops debits, 2 stops credits, 4 says closed.
    frozen = models.SmallIntegerField(default=0)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="balance_above_floor",
                condition=Q(posted_minor__gte=F("pending_minor") + F("floor_minor")),
            ),
            models.CheckConstraint(
                name="balance_pending_not_negative", condition=Q(pending_minor__gte=0)
            ),
            models.CheckConstraint(
                name="balance_held_back_not_negative", condition=Q(held_back_minor__gte=0)
            ),
            models.CheckConstraint(
                name="balance_closed_is_empty",
                condition=Q(frozen__lt=4) | Q(posted_minor=0, pending_minor=0),
            ),
        ]

    @property
    def available_minor(self) -> int:
        """Return what may still be spent: never below zero, even if more is held back."""
        free = self.posted_minor - self.pending_minor - self.floor_minor
        return max(0, free - self.held_back_minor)


class Journal(models.Model):
    """One balanced movement of money. Never changed; undone by another journal."""

    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    purpose = models.CharField(max_length=40)
    subject_ref = models.CharField(max_length=120)
    origin = models.CharField(max_length=160)
    reverses = models.UUIDField(null=True)
    trace_id = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    xact = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(name="journal_by_subject", fields=["subject_ref"]),
            models.Index(name="journal_by_book", fields=["book_id", "id"]),
            models.Index(name="journal_by_trace", fields=["trace_id"]),
            models.Index(name="journal_by_occurred", fields=["occurred_at"]),
        ]

    def __str__(self) -> str:
        """Read as its purpose, in plain words."""
        return self.purpose.replace("_", " ").capitalize()

    @property
    def audit_ref(self) -> str:
        """Return `journal:<id>`."""
        return f"journal:{self.pk}"


class JournalOrigin(models.Model):
    """What caused a journal, once and for all: an origin has one journal."""

    origin = models.CharField(primary_key=True, max_length=160)
    journal_id = models.UUIDField()
    reverses = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(
                name="journal_origin_by_reverses",
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
            ),
        ]


class ReversedLine(models.Model):
    """How much of what a journal moved on one account has gone back, by however many reversals.

    Signed as postings are, so the two amounts differ in sign. Kept by the
    ledger's own trigger, for journals that were reversed at all.
    """

    pk = models.CompositePrimaryKey("journal_id", "account_id")
    journal_id = models.UUIDField()
    account_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    reversed_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="reversed_line_within",
                condition=Q(
                    amount_minor__gt=0,
                    reversed_minor__lte=0,
                    reversed_minor__gte=F("amount_minor") * -1,
                )
                | Q(
                    amount_minor__lt=0,
                    reversed_minor__gte=0,
                    reversed_minor__lte=F("amount_minor") * -1,
                ),
            ),
        ]


class Posting(models.Model):
    """One line of a journal: a signed amount on one account, and how the account stood after."""

    id = models.UUIDField(primary_key=True, editable=False)
    journal_id = models.UUIDField()
    book_id = models.UUIDField()
    account_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    balance_after_minor = models.BigIntegerField(null=True)
    account_version = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField()
    xact = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(name="posting_by_account", fields=["account_id", "id"]),
            models.Index(name="posting_by_journal", fields=["journal_id"]),
            models.Index(name="posting_by_xact", fields=["xact", "id", "account_id"]),
            models.Index(
                name="posting_by_occurred",
                fields=["account_id", "occurred_at", "id"],
                include=["amount_minor", "xact"],
            ),
        ]

    @property
    def money(self) -> Money:
        """Return the line as a value."""
        return Money(self.amount_minor, self.currency)
