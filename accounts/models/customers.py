"""Customers, and the vault that alone holds what is personal about them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.crypto.fields import SealedField
from accounts.models.portfolios import Portfolio
from audit.history import Guarded
from audit.typeids import uuid7


class VaultRecord(models.Model):
    """One piece of personal data, sealed. Other rows hold its id; `masked` is what screens show.

    Written once; a correction is a new record. `blind` finds an IBAN by exactly what it says.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book_id = models.UUIDField(db_index=True)
    label = models.CharField(max_length=30)
    sealed = SealedField()
    masked = models.CharField(max_length=120)
    blind = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(name="vault_record_by_blind", fields=["blind"], condition=~Q(blind="")),
        ]

    def __str__(self) -> str:
        """Show only the mask."""
        return self.masked


class Customer(Guarded):
    """Somebody whose accounts a partner keeps with us. Names and addresses are vault tokens."""

    prefix: ClassVar[str] = "cus"

    book_id = models.UUIDField(db_index=True)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="customers")
    name = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    email = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Show the masked name."""
        return self.name.masked
