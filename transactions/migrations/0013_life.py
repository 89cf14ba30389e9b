"""The ledger obeys an account's life: what is held back, its floor, and that it is closed."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

from audit.sqlfiles import run_sql

_CHECKS = {
    "balance_held_back_not_negative": Q(held_back_minor__gte=0),
    "balance_closed_is_empty": Q(frozen__lt=4) | Q(posted_minor=0, pending_minor=0),
}


class Migration(migrations.Migration):
    """Adds what is held back, and runs `transactions/sql/0013_life`."""

    dependencies: ClassVar = [("accounts", "0009_life"), ("transactions", "0012_batches")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="balance",
            name="held_back_minor",
            field=models.BigIntegerField(default=0, db_default=0),
        ),
        *(
            migrations.AddConstraint(
                model_name="balance",
                constraint=models.CheckConstraint(name=name, condition=condition),
            )
            for name, condition in _CHECKS.items()
        ),
        run_sql("transactions", "0013_life"),
    ]
