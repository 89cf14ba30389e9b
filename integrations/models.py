"""What comes in from providers, raw, and what we ask of them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from audit.typeids import typeid, uuid7
from integrations.states import CallbackState, DispatchAct, DispatchAnswer


class Callback(models.Model):
    """One genuine callback as it arrived: stored before it is understood, worked off later.

    `body` is a sealed box: the process that receives it cannot read it again.
    The same event id with another body is kept as a second row, quarantined.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=30)
    endpoint = models.CharField(max_length=40)
    event_id = models.CharField(max_length=140)
    event_type = models.CharField(max_length=100)
    body = models.BinaryField()
    body_sha256 = models.CharField(max_length=64)
    state = models.CharField(
        max_length=12, choices=CallbackState.choices, default=CallbackState.RECEIVED
    )
    detail = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    deliveries = models.PositiveIntegerField(default=1)
    trace_id = models.CharField(max_length=32)
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="callback_once",
                fields=["provider", "endpoint", "event_id"],
            ),
            models.CheckConstraint(
                name="callback_state_known", condition=Q(state__in=CallbackState.values)
            ),
        ]
        indexes = [
            models.Index(
                name="callback_due",
                fields=["due_at"],
                condition=Q(state=CallbackState.RECEIVED),
            ),
            models.Index(name="callback_by_trace", fields=["trace_id"]),
            models.Index(name="callback_by_state", fields=["state", "id"]),
            models.Index(name="callback_by_event", fields=["event_id"]),
        ]

    def __str__(self) -> str:
        """Read as provider and event."""
        return f"{self.provider} {self.event_type}"

    @property
    def is_suspect(self) -> bool:
        """Say whether its last try ended without a word: it may take whoever works on it along."""
        return bool(self.attempts and not self.detail)

    @property
    def audit_ref(self) -> str:
        """Return `callback:<id>`."""
        return f"callback:{self.pk}"

    @property
    def public_id(self) -> str:
        """Return the TypeID shown outside."""
        return typeid("cbk", self.pk)


class Dispatch(models.Model):
    """One call to a provider about one transfer, and what it answered. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    transfer_id = models.UUIDField(db_index=True)
    book_id = models.UUIDField()
    provider = models.CharField(max_length=30)
    act = models.CharField(max_length=10, choices=DispatchAct.choices)
    answer = models.CharField(max_length=12, choices=DispatchAnswer.choices)
    detail = models.CharField(max_length=200, blank=True)
    duration_ms = models.PositiveIntegerField()
    trace_id = models.CharField(max_length=32)
    called_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "dispatches"

    def __str__(self) -> str:
        """Read as what was asked and answered."""
        return f"{self.provider}: {self.act}, {self.answer}"
