"""A month that is closed keeps how every account stood at its end."""

from typing import ClassVar

from django.db import migrations, models

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Makes the tables of closed months, which nobody changes."""

    dependencies: ClassVar = [("transactions", "0007_clocks")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ClosedMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("closed_at", models.DateTimeField()),
                ("accounts", models.IntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="ClosedBalance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "account_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("account_id", models.UUIDField()),
                ("book_id", models.UUIDField()),
                ("currency", models.CharField(max_length=3)),
                ("balance_minor", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
            ],
        ),
        run_sql("transactions", "0008_months"),
    ]
