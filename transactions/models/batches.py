"""Batches: many transfers asked for at once, and what came of each."""

from datetime import datetime
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from accounts.models import Approval, VaultRecord
from audit.errors import Refusal
from audit.history import Guarded
from audit.typeids import uuid7
from transactions.models.transfers import Transfer
from transactions.money import AMOUNT_MINOR_MAX, Money
from transactions.states import OVER, BatchState, ItemOutcome, ItemState, TransferKind

ITEMS_MAX: Final = 10_000


class TransferBatch(Guarded):
    """Up to `ITEMS_MAX` transfers asked for in one request, and how far they got.

    Who asked is written down in full: the batch goes on in their name. One that staff asks
    for rests on an `approval` of all of it. The items' keys count in `key_scope`. An atomic
    one happens whole or, with the first item that cannot be done and why, not at all.
    """

    prefix: ClassVar[str] = "bat"

    book_id = models.UUIDField()
    partner_id = models.UUIDField()
    state = models.CharField(
        max_length=10, choices=BatchState.choices, default=BatchState.ACCEPTED
    )
    is_atomic = models.BooleanField()
    item_count = models.IntegerField()
    done_count = models.IntegerField(default=0)
    refused_count = models.IntegerField(default=0)
    replayed_count = models.IntegerField(default=0)
    reference = models.CharField(max_length=140, blank=True)
    origin = models.CharField(max_length=160)
    key_scope = models.CharField(max_length=200)
    requested_by = models.CharField(max_length=120)
    requested_label = models.CharField(max_length=200)
    requested_credential = models.CharField(max_length=200)
    approval = models.OneToOneField(
        Approval, on_delete=models.PROTECT, null=True, related_name="+"
    )
    trace_id = models.CharField(max_length=32)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    refused_number = models.IntegerField(null=True)
    refused_code = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name_plural = "transfer batches"
        constraints = [
            models.UniqueConstraint(name="batch_origin_once", fields=["origin"]),
            models.CheckConstraint(
                name="batch_state_known", condition=Q(state__in=BatchState.values)
            ),
            models.CheckConstraint(
                name="batch_size_in_range",
                condition=Q(item_count__gte=1, item_count__lte=ITEMS_MAX),
            ),
            models.CheckConstraint(
                name="batch_counts_within_items",
                condition=Q(done_count__gte=0, refused_count__gte=0, replayed_count__gte=0)
                & Q(item_count__gte=F("done_count") + F("refused_count") + F("replayed_count")),
            ),
            models.CheckConstraint(
                name="batch_finished_is_whole",
                condition=~Q(state=BatchState.FINISHED)
                | Q(item_count=F("done_count") + F("refused_count") + F("replayed_count")),
            ),
            models.CheckConstraint(
                name="batch_refused_moved_nothing",
                condition=Q(
                    state=BatchState.REFUSED,
                    is_atomic=True,
                    done_count=0,
                    refused_count=1,
                    replayed_count=0,
                    refused_number__isnull=False,
                )
                & ~Q(refused_code="")
                | ~Q(state=BatchState.REFUSED) & Q(refused_number__isnull=True, refused_code=""),
            ),
            models.CheckConstraint(
                name="batch_over_has_time",
                condition=Q(state__in=sorted(OVER), finished_at__isnull=False)
                | ~Q(state__in=sorted(OVER)) & Q(finished_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(name="batch_by_book", fields=["book_id", "id"]),
            models.Index(
                name="batch_open",
                fields=["id"],
                condition=Q(state__in=[BatchState.ACCEPTED, BatchState.RUNNING]),
            ),
            models.Index(name="batch_by_trace", fields=["trace_id"]),
        ]

    def __str__(self) -> str:
        """Show reference and size."""
        return f"{self.item_count:,} transfers, {self.reference or self.public_id}"

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will happen."""
        return self.state in OVER

    @property
    def settled_count(self) -> int:
        """Return how many items have their outcome."""
        return self.done_count + self.refused_count + self.replayed_count

    @property
    def pending_count(self) -> int:
        """Return how many items still wait for theirs; none of a batch that is over."""
        return 0 if self.is_over else self.item_count - self.settled_count

    def move_on(self, *, done: int, refused: int, replayed: int, at: datetime) -> None:
        """Count outcomes in; with the last of them it is finished. Saves nothing."""
        self.done_count += done
        self.refused_count += refused
        self.replayed_count += replayed
        self.state = BatchState.RUNNING
        if self.settled_count == self.item_count:
            self.state, self.finished_at = BatchState.FINISHED, at

    def refuse(self, refusal: Refusal, *, number: int, at: datetime) -> None:
        """End it undone, for what item `number` was refused. Saves nothing."""
        self.state, self.finished_at = BatchState.REFUSED, at
        self.refused_count = 1
        self.refused_number, self.refused_code = number, refusal.code


class BatchItem(models.Model):
    """One line of a batch: the transfer it asks for, under a key of its own, and its outcome.

    Payees are vault tokens. Accounts are ids as they were given: they need not exist.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(
        TransferBatch, on_delete=models.PROTECT, related_name="items", db_index=False
    )
    number = models.IntegerField()
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    source_id = models.UUIDField()
    destination_id = models.UUIDField(null=True)
    payee_name = models.ForeignKey(
        VaultRecord, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    payee_iban = models.ForeignKey(
        VaultRecord, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=140, blank=True)
    metadata = models.JSONField(default=dict)
    key_hash = models.BinaryField(max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    outcome = models.CharField(max_length=10, choices=ItemOutcome.choices, blank=True)
    code = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict)
    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="batch_item_once", fields=["batch", "number"]),
            models.UniqueConstraint(name="batch_item_key_once", fields=["batch", "key_hash"]),
            models.CheckConstraint(
                name="batch_item_amount_in_range",
                condition=Q(amount_minor__gt=0, amount_minor__lte=AMOUNT_MINOR_MAX),
            ),
            models.CheckConstraint(
                name="batch_item_has_one_destination",
                condition=Q(
                    kind=TransferKind.INTERNAL,
                    destination_id__isnull=False,
                    payee_iban__isnull=True,
                )
                | Q(
                    kind=TransferKind.PAYOUT, destination_id__isnull=True, payee_iban__isnull=False
                ),
            ),
            models.CheckConstraint(
                name="batch_item_outcome_complete",
                condition=Q(outcome="", code="", transfer__isnull=True)
                | Q(
                    outcome__in=[ItemOutcome.DONE, ItemOutcome.REPLAYED],
                    code="",
                    transfer__isnull=False,
                )
                | Q(outcome=ItemOutcome.REFUSED, transfer__isnull=True) & ~Q(code=""),
            ),
        ]
        indexes = [
            models.Index(
                name="batch_item_open", fields=["batch", "number"], condition=Q(outcome="")
            ),
            models.Index(
                name="batch_item_by_transfer",
                fields=["transfer"],
                condition=Q(transfer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Show number and amount."""
        return f"{self.number}: {self.money}"

    @property
    def audit_ref(self) -> str:
        """Return the spelling used in the log."""
        return f"batchitem:{self.pk}"

    @property
    def money(self) -> Money:
        """Return the amount as a value."""
        return Money(self.amount_minor, self.currency)

    @property
    def state(self) -> ItemState:
        """Return how it stands; without an outcome that is for its batch to say."""
        if self.outcome:
            return ItemState(self.outcome)
        return ItemState.DROPPED if self.batch.is_over else ItemState.PENDING

    @property
    def refusal(self) -> Refusal | None:
        """Return why not, as the refusal it was."""
        return Refusal.by_code[self.code](**self.facts) if self.code else None
