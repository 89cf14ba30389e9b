"""What finance proposed by hand, as it was submitted. A row is inserted once and never changed.

Where a proposal stands is what its approval says; whether it is in the books, its journal.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Approval
from audit.history import Witnessed
from transactions.models.ledger import Book, LedgerAccount


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
