"""Idempotency keys: what was asked under a key, and the answer it got."""

from django.db import models

from audit.typeids import uuid7


class IdempotencyKey(models.Model):
    """One key in one scope (client, method, route). Inserted once, with its answer.

    `answer` is sealed (AES-256-GCM) and emptied after 72 h; the row stays for good.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book_id = models.UUIDField()
    scope = models.CharField(max_length=200)
    key_hash = models.BinaryField(max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    resource = models.CharField(max_length=120, blank=True)
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="idempotency_key_once", fields=["scope", "key_hash"]),
        ]
