"""Idempotency keys: what was asked under a key, and the answer it got."""

from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Right

from audit.typeids import uuid7

# A prefix of three letters, an underscore and 26 more: how a TypeID is spelled.
RESOURCE_ID_CHARACTERS: Final = 30


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
        indexes = [
            models.Index(name="idempotency_key_by_hash", fields=["key_hash"]),
            models.Index(
                Right("resource", RESOURCE_ID_CHARACTERS), name="idempotency_key_by_made"
            ),
            models.Index(
                name="idempotency_key_answered",
                fields=["created_at"],
                condition=Q(answer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Read as the request that it made happen once."""
        return " ".join(self.route)

    @property
    def used_by(self) -> UUID:
        """Return the account whose client used the key."""
        return UUID(self.scope.split(":")[1])

    @property
    def route(self) -> tuple[str, str]:
        """Return method and path of the route that the key was used on."""
        method, _, path = self.scope.rpartition(":")[2].partition(" ")
        return method, path

    @property
    def made(self) -> str:
        """Return the public id of what it made or changed; empty for none."""
        return self.resource.rpartition("/")[2]
