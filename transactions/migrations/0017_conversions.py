"""Money is changed into another currency under a signature, at the rate that was quoted."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds conversions; runs `transactions/sql/0017_conversions`."""

    dependencies: ClassVar = [
        ("accounts", "0009_life"),
        ("transactions", "0016_fees"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Conversion",
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
                ("sold_minor", models.BigIntegerField()),
                ("bought_minor", models.BigIntegerField()),
                ("rate", models.CharField(max_length=21)),
                ("reason", models.CharField(max_length=300)),
                ("evidence", models.CharField(max_length=200)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "approval",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.approval",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.book",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.ledgeraccount",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.ledgeraccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("bought_minor__gt", 0), ("sold_minor__gt", 0)),
                        name="conversion_amounts_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("destination")), _negated=True),
                        name="conversion_not_to_itself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(("evidence", ""), _negated=True),
                        ),
                        name="conversion_has_grounds",
                    ),
                ],
            },
        ),
        run_sql("transactions", "0017_conversions"),
    ]
