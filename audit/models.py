"""The append-only log of who did what, and to which rows."""

from django.db import models


class Entry(models.Model):
    """One witnessed act or refusal. `body` is the truth; the other columns index it.

    Written only by the database function `audit_record`, which sets id, clocks
    and transaction itself. No foreign key leaves this table: an entry survives
    everything it speaks of. Range-partitioned by month on its UUIDv7.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    recorded_at = models.DateTimeField()
    xact = models.BigIntegerField()
    xact_at = models.DateTimeField()
    trace_id = models.CharField(max_length=32)
    command = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10, choices=[("done", "done"), ("refused", "refused")])
    code = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=10)
    actor_ref = models.CharField(max_length=120)
    actor_label = models.CharField(max_length=200)
    target_ref = models.CharField(max_length=160)
    book_id = models.UUIDField(null=True)
    body = models.BinaryField()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(name="entry_by_target", fields=["target_ref", "id"]),
            models.Index(name="entry_by_actor", fields=["actor_ref", "id"]),
            models.Index(name="entry_by_trace", fields=["trace_id"]),
            models.Index(name="entry_by_xact", fields=["xact", "id"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="entry_outcome_known",
                condition=models.Q(outcome__in=["done", "refused"]),
            ),
        ]

    def __str__(self) -> str:
        """Read as a sentence: actor, action, target."""
        return f"{self.actor_label} {self.action} {self.target_ref}"


class Touch(models.Model):
    """One row that an entry changed: what it said before and after (null: the row was new)."""

    pk = models.CompositePrimaryKey("entry_id", "table_name", "row_id")
    entry_id = models.UUIDField()
    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=64)
    xact = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "touches"
        indexes = [models.Index(name="touch_by_row", fields=["row_id", "entry_id"])]
