"""What the check of the books found, and when it last looked."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from audit.history import Guarded
from audit.typeids import uuid7


class Finding(Guarded):
    """One thing that broke one promise of the books: from the first check that saw it to the last.

    `subject` is what it is about, such as `account <id>`, and with the promise its identity:
    the figures in `detail` are those of the first look.
    """

    prefix: ClassVar[str] = "fnd"

    invariant = models.CharField(max_length=10)
    promise = models.CharField(max_length=200)
    subject = models.CharField(max_length=200)
    detail = models.CharField(max_length=500)
    first_seen_at = models.DateTimeField(db_default=Now())
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="finding_one_open",
                fields=["promise", "subject"],
                condition=Q(gone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        """Read as the promise's name and what was found."""
        return f"{self.invariant}: {self.detail}"


class BooksCheck(models.Model):
    """One look at the books: when, how long it took, how much was wrong.

    `is_full` looked at everything, another at what changed. `began_xact` and
    `began_at` are the watermark that a later look goes on from; None on old rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    checked_at = models.DateTimeField(db_default=Now(), db_index=True)
    duration_ms = models.PositiveIntegerField()
    findings = models.PositiveIntegerField()
    is_full = models.BooleanField(default=True, db_default=True)
    began_xact = models.BigIntegerField(null=True)
    began_at = models.DateTimeField(null=True)
