"""What we charge partners for their transfers: rules, each version signed by a second person."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Approval, Partner
from audit.history import Guarded
from transactions.fees import BPS, FeeTerms
from transactions.models.ledger import LedgerAccount
from transactions.states import FeeState, TransferKind


class FeeRule(Guarded):
    """One version of what a partner pays for one kind of transfer in one currency.

    Proposed by one and put in force by the word of another; its terms never change. The next
    version ends it. `account` is where its fees go, opened when it comes into force.
    """

    prefix: ClassVar[str] = "fee"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    book_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    currency = models.CharField(max_length=3)
    flat_minor = models.BigIntegerField(default=0)
    bps = models.IntegerField(default=0)
    minimum_minor = models.BigIntegerField(default=0)
    cap_minor = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=FeeState.choices, default=FeeState.PROPOSED)
    version = models.IntegerField(null=True)
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
    proposed_by = models.CharField(max_length=120)
    proposed_at = models.DateTimeField(auto_now_add=True)
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="fee_rule_one_in_force",
                fields=["book_id", "currency", "kind"],
                condition=Q(state=FeeState.IN_FORCE),
            ),
            models.UniqueConstraint(
                name="fee_rule_version_once", fields=["book_id", "currency", "kind", "version"]
            ),
            models.CheckConstraint(
                name="fee_rule_terms_in_range",
                condition=Q(flat_minor__gte=0, minimum_minor__gte=0, bps__gte=0, bps__lte=BPS),
            ),
            models.CheckConstraint(
                name="fee_rule_cap_not_below_minimum",
                condition=Q(cap_minor__isnull=True) | Q(cap_minor__gte=F("minimum_minor")),
            ),
            models.CheckConstraint(
                name="fee_rule_kind_known", condition=Q(kind__in=TransferKind.values)
            ),
            models.CheckConstraint(
                name="fee_rule_in_force_is_whole",
                condition=Q(
                    state__in=[FeeState.PROPOSED, FeeState.DECLINED],
                    version__isnull=True,
                    begins_at__isnull=True,
                )
                | Q(
                    state__in=[FeeState.IN_FORCE, FeeState.ENDED],
                    version__gte=1,
                    version__isnull=False,
                    account__isnull=False,
                    begins_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        """Read as what it is for, and which version."""
        version = f"version {self.version}" if self.version else self.get_state_display().lower()
        return f"{TransferKind(self.kind).label} in {self.currency}, {version}"

    @property
    def terms(self) -> FeeTerms:
        """Return what it charges, as a value."""
        return FeeTerms(
            flat_minor=self.flat_minor,
            bps=self.bps,
            minimum_minor=self.minimum_minor,
            cap_minor=self.cap_minor,
        )
