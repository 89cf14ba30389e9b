"""Four eyes: what was asked, what exactly was shown, and who decided."""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from accounts.states import ApprovalState, Verdict
from audit.history import Guarded


class Approval(Guarded):
    """One request that a second party look at `payload` before `action` may happen to a subject.

    `payload` is the canonical JSON shown to the checker and `payload_hash` its
    SHA-256; the act re-validates against it and consumes the approval. `try_at`
    is when a decision is to be carried out: null where nothing is left to do.
    `obstacle` is the code of what stood in its way the last time.
    """

    prefix: ClassVar[str] = "apr"

    book_id = models.UUIDField(db_index=True)
    action = models.CharField(max_length=60)
    subject_ref = models.CharField(max_length=120)
    payload = models.JSONField()
    payload_hash = models.CharField(max_length=64)
    maker_party = models.CharField(max_length=120)
    maker_label = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=ApprovalState.choices, default=ApprovalState.OPEN
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    try_at = models.DateTimeField(null=True)
    obstacle = models.CharField(max_length=60, blank=True, default="", db_default="")
    obstacle_facts = models.JSONField(default=dict, db_default={})
    trace_id = models.CharField(max_length=32, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="approval_one_open",
                fields=["subject_ref", "action"],
                condition=Q(state=ApprovalState.OPEN),
            ),
            models.UniqueConstraint(name="approval_maker", fields=["id", "maker_party"]),
            models.CheckConstraint(
                name="approval_state_known", condition=Q(state__in=ApprovalState.values)
            ),
        ]
        indexes = [
            models.Index(name="approval_by_subject", fields=["subject_ref"]),
            models.Index(name="approval_by_state", fields=["state", "requested_at"]),
            models.Index(
                name="approval_to_try", fields=["try_at"], condition=Q(try_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        """Read as the act in plain words, and what it is about."""
        act = self.action.rpartition(".")[2].replace("_", " ").capitalize()
        return f"{act} {self.payload.get('transfer', '')}".strip()

    @property
    def subject_id(self) -> UUID:
        """Return the key of what it is about."""
        return UUID(self.subject_ref.rpartition(":")[2])


class Decision(Guarded):
    """One party's verdict. The maker's party is copied (composite key): a CHECK compares them."""

    prefix: ClassVar[str] = "dec"

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="decisions")
    book_id = models.UUIDField(db_index=True)
    maker_party = models.CharField(max_length=120)
    checker_party = models.CharField(max_length=120)
    checker_label = models.CharField(max_length=200)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.CharField(max_length=300)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_not_by_maker", condition=~Q(checker_party=F("maker_party"))
            ),
            models.UniqueConstraint(
                name="decision_once_a_party", fields=["approval", "checker_party"]
            ),
        ]
