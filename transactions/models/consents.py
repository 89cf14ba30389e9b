"""By whose word another partner may pay into an account."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.history import Guarded
from transactions.models.ledger import LedgerAccount


class PayInConsent(Guarded):
    """The owner's word that one other partner may pay into one account, until it is withdrawn.

    `payer` is that partner's short name as the owner wrote it: nobody looks whether there is
    such a partner, so that giving a consent tells nothing about others.
    """

    prefix: ClassVar[str] = "pic"

    book_id = models.UUIDField()
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="consents")
    payer = models.CharField(max_length=40)
    given_by = models.CharField(max_length=120)
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "consent to pay in"
        verbose_name_plural = "consents to pay in"
        constraints = [
            models.UniqueConstraint(
                name="consent_stands_once",
                fields=["account", "payer"],
                condition=Q(withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(name="consent_names_a_payer", condition=~Q(payer="")),
        ]

    def __str__(self) -> str:
        """Read as who may pay in."""
        return f"{self.payer} may pay in"
