"""A key is found by its hash, by what it made and by its age, without reading the table."""

from typing import ClassVar

import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds three indexes while keys are being written."""

    atomic = False
    dependencies: ClassVar = [("accounts", "0006_client_accounts")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="idempotencykey",
            index=models.Index(fields=["key_hash"], name="idempotency_key_by_hash"),
        ),
        AddIndexConcurrently(
            model_name="idempotencykey",
            index=models.Index(
                django.db.models.functions.text.Right("resource", 30),
                name="idempotency_key_by_made",
            ),
        ),
        AddIndexConcurrently(
            model_name="idempotencykey",
            index=models.Index(
                fields=["created_at"],
                condition=models.Q(answer__isnull=False),
                name="idempotency_key_answered",
            ),
        ),
    ]
