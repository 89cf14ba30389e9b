"""Money in suspense is given to its owner under a signature, item by item."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds allocations and tallies; runs `transactions/sql/0009_suspense`."""

    dependencies: ClassVar = [
        ("accounts", "0004_acts"),
        ("transactions", "0008_months"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SuspensePosting",
            fields=[],
            options={
                "verbose_name": "suspense item",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("transactions.posting",),
        ),
        migrations.CreateModel(
            name="SuspenseTally",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("allocated_minor", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("allocated_minor__gte", 0),
                            ("allocated_minor__lte", models.F("amount_minor")),
                        ),
                        name="suspense_tally_not_overdrawn",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SuspenseAllocation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("posting_id", models.UUIDField(db_index=True)),
                ("book_id", models.UUIDField()),
                ("amount_minor", models.BigIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.ledgeraccount",
                    ),
                ),
                (
                    "approval",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.approval",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)),
                        name="suspense_allocation_positive",
                    )
                ],
            },
        ),
        run_sql("transactions", "0009_suspense"),
    ]
