"""Transfers cost what a signed rule says, and remember which version they were charged under."""

from typing import ClassVar

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql, versioned


class Migration(migrations.Migration):
    """Adds fee rules and what was charged; runs `transactions/sql/0016_fees`."""

    dependencies: ClassVar = [
        ("accounts", "0009_life"),
        ("transactions", "0015_interbook"),
    ]

    operations: ClassVar = versioned(
        migrations.CreateModel(
            name="HistoricalFeeRule",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("book_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("internal", "Internal"),
                            ("partner", "To another partner"),
                            ("payout", "Payout"),
                        ],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("flat_minor", models.BigIntegerField(default=0)),
                ("bps", models.IntegerField(default=0)),
                ("minimum_minor", models.BigIntegerField(default=0)),
                ("cap_minor", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("in_force", "In force"),
                            ("ended", "Replaced by a later version"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("version", models.IntegerField(null=True)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(blank=True, editable=False)),
                ("begins_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")],
                        max_length=1,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical fee rule",
                "verbose_name_plural": "historical fee rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="historicaltransfer",
            name="fee_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="transfer",
            name="fee_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="FeeRule",
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
                ("book_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("internal", "Internal"),
                            ("partner", "To another partner"),
                            ("payout", "Payout"),
                        ],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("flat_minor", models.BigIntegerField(default=0)),
                ("bps", models.IntegerField(default=0)),
                ("minimum_minor", models.BigIntegerField(default=0)),
                ("cap_minor", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("in_force", "In force"),
                            ("ended", "Replaced by a later version"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("version", models.IntegerField(null=True)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                ("begins_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
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
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.partner",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="historicaltransfer",
            name="fee_rule",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="transactions.feerule",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="fee_rule",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.feerule",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fee_minor", 0),
                    models.Q(("fee_minor__gt", 0), ("fee_rule__isnull", False)),
                    _connector="OR",
                ),
                name="transfer_fee_has_rule",
            ),
        ),
        migrations.AddField(
            model_name="historicalfeerule",
            name="account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="transactions.ledgeraccount",
            ),
        ),
        migrations.AddField(
            model_name="historicalfeerule",
            name="approval",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.approval",
            ),
        ),
        migrations.AddField(
            model_name="historicalfeerule",
            name="partner",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.partner",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "in_force")),
                fields=("book_id", "currency", "kind"),
                name="fee_rule_one_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.UniqueConstraint(
                fields=("book_id", "currency", "kind", "version"), name="fee_rule_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bps__gte", 0),
                    ("bps__lte", 10000),
                    ("flat_minor__gte", 0),
                    ("minimum_minor__gte", 0),
                ),
                name="fee_rule_terms_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cap_minor__isnull", True),
                    ("cap_minor__gte", models.F("minimum_minor")),
                    _connector="OR",
                ),
                name="fee_rule_cap_not_below_minimum",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["internal", "partner", "payout"])),
                name="fee_rule_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("begins_at__isnull", True),
                        ("state__in", ["proposed", "declined"]),
                        ("version__isnull", True),
                    ),
                    models.Q(
                        ("account__isnull", False),
                        ("begins_at__isnull", False),
                        ("state__in", ["in_force", "ended"]),
                        ("version__gte", 1),
                        ("version__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="fee_rule_in_force_is_whole",
            ),
        ),
        run_sql("transactions", "0016_fees"),
    )
