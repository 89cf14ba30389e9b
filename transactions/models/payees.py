"""The register of payees: where a partner's money may go, each detail of it signed twice."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Approval, Partner, VaultRecord
from audit.history import Guarded, Witnessed
from transactions.states import PayeeState


class RegisteredPayee(Guarded):
    """One payee of a partner. Name and IBAN are in the vault; `alias` is what people call it here.

    New and changed details (`version` counts them) need a second person, and then
    wait until `payable_from`, which the database sets, before anything is paid to them.
    """

    prefix: ClassVar[str] = "pye"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    book_id = models.UUIDField()
    alias = models.CharField(max_length=80)
    name = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    iban = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    iban_blind = models.CharField(max_length=64)
    version = models.IntegerField(default=1)
    state = models.CharField(
        max_length=10, choices=PayeeState.choices, default=PayeeState.PROPOSED
    )
    details_at = models.DateTimeField(null=True)
    payable_from = models.DateTimeField(null=True)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "payee"
        constraints = [
            models.UniqueConstraint(
                name="payee_alias_once",
                fields=["book_id", "alias"],
                condition=Q(state__in=[PayeeState.PROPOSED, PayeeState.ACTIVE]),
            ),
            models.UniqueConstraint(
                name="payee_iban_once",
                fields=["book_id", "iban_blind"],
                condition=Q(state__in=[PayeeState.PROPOSED, PayeeState.ACTIVE]),
            ),
            models.CheckConstraint(
                name="payee_state_known", condition=Q(state__in=PayeeState.values)
            ),
            models.CheckConstraint(
                name="payee_payable_when_active",
                condition=~Q(state=PayeeState.ACTIVE)
                | Q(payable_from__isnull=False, details_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Show what people call it."""
        return self.alias


class PayeeChange(Witnessed):
    """One proposal to pay a registered payee elsewhere: inserted once, and never changed."""

    prefix: ClassVar[str] = "pyc"

    payee = models.ForeignKey(RegisteredPayee, on_delete=models.PROTECT, related_name="changes")
    version = models.IntegerField()
    name = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    iban = models.ForeignKey(VaultRecord, on_delete=models.PROTECT, related_name="+")
    iban_blind = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
