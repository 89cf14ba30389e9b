"""Money changed from one currency into another, as it was submitted. Inserted once, never changed.

Where a conversion stands is what its approval says; whether it is in the books, its journal.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Approval
from audit.history import Witnessed
from transactions.models.ledger import Book, LedgerAccount
from transactions.money import Money


class Conversion(Witnessed):
    """One exchange between two accounts of a book, at the rate a person quoted.

    `rate` is how many units of the bought currency one unit of the sold one is worth.
    """

    prefix: ClassVar[str] = "fxc"

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    destination = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    sold_minor = models.BigIntegerField()
    bought_minor = models.BigIntegerField()
    rate = models.CharField(max_length=21)
    reason = models.CharField(max_length=300)
    evidence = models.CharField(max_length=200)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="conversion_amounts_positive",
                condition=Q(sold_minor__gt=0, bought_minor__gt=0),
            ),
            models.CheckConstraint(
                name="conversion_not_to_itself", condition=~Q(source=F("destination"))
            ),
            models.CheckConstraint(
                name="conversion_has_grounds", condition=~Q(reason="") & ~Q(evidence="")
            ),
        ]

    def __str__(self) -> str:
        """Read as what it changes into what."""
        return f"{self.sold} into {self.bought}"

    @property
    def sold(self) -> Money:
        """Return what leaves."""
        return Money(self.sold_minor, self.source.currency)

    @property
    def bought(self) -> Money:
        """Return what arrives."""
        return Money(self.bought_minor, self.destination.currency)

    @property
    def quote(self) -> str:
        """Return the rate as people say it."""
        return f"1 {self.source.currency} = {self.rate} {self.destination.currency}"
