"""What finance proposed by hand, as it was submitted. A row is inserted once and never changed.

Where a proposal stands is what its approval says; whether it is in the books, its journal.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Approval
from audit.history import Witnessed
from transactions.models.ledger import Book, LedgerAccount, Posting


class JournalProposal(Witnessed):
    """One journal that a person proposed, with its reason and where the evidence is kept."""

    prefix: ClassVar[str] = "mjl"

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    evidence = models.CharField(max_length=200)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "manual journal"
        constraints = [
            models.CheckConstraint(
                name="journal_proposal_has_grounds", condition=~Q(reason="") & ~Q(evidence="")
            ),
        ]

    def __str__(self) -> str:
        """Read as what it is and why."""
        return f"Manual journal: {self.reason}"


class ProposedLine(Witnessed):
    """One line of a proposed journal."""

    proposal = models.ForeignKey(JournalProposal, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    position = models.SmallIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="proposed_line_position_once", fields=["proposal", "position"]
            ),
            models.CheckConstraint(name="proposed_line_not_zero", condition=~Q(amount_minor=0)),
        ]


class SuspensePosting(Posting):
    """Money that arrived in a book's suspense account: one item that waits to be allocated."""

    prefix: ClassVar[str] = ""

    class Meta:
        proxy = True
        verbose_name = "suspense item"

    def __str__(self) -> str:
        """Show how much arrived."""
        return f"Suspense {self.money}"

    @property
    def audit_ref(self) -> str:
        """Return `suspenseposting:<id>`."""
        return f"suspenseposting:{self.pk}"


class SuspenseAllocation(Witnessed):
    """One proposal to give an item of suspense, or a part of it, to its owner's account."""

    prefix: ClassVar[str] = "sal"

    posting_id = models.UUIDField(db_index=True)
    book_id = models.UUIDField()
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="suspense_allocation_positive", condition=Q(amount_minor__gt=0)
            ),
        ]


class SuspenseTally(Witnessed):
    """How much of one suspense posting (the same id) has been allocated: never more than it is."""

    amount_minor = models.BigIntegerField()
    allocated_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="suspense_tally_not_overdrawn",
                condition=Q(allocated_minor__gte=0, allocated_minor__lte=F("amount_minor")),
            ),
        ]
