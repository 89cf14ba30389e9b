"""Batches of transfers, with what came of each of their items."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Makes the tables and runs `transactions/sql/0012_batches`."""

    dependencies: ClassVar = [
        ("accounts", "0008_many_keys"),
        ("transactions", "0011_findings"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="HistoricalTransferBatch",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("book_id", models.UUIDField()),
                ("partner_id", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("accepted", "Taken in, about to be carried out"),
                            ("running", "Being carried out"),
                            ("finished", "Carried out"),
                            ("refused", "Refused as a whole, nothing moved"),
                        ],
                        default="accepted",
                        max_length=10,
                    ),
                ),
                ("is_atomic", models.BooleanField()),
                ("item_count", models.IntegerField()),
                ("done_count", models.IntegerField(default=0)),
                ("refused_count", models.IntegerField(default=0)),
                ("replayed_count", models.IntegerField(default=0)),
                ("reference", models.CharField(blank=True, max_length=140)),
                ("origin", models.CharField(max_length=160)),
                ("key_scope", models.CharField(max_length=200)),
                ("requested_by", models.CharField(max_length=120)),
                ("requested_label", models.CharField(max_length=200)),
                ("requested_credential", models.CharField(max_length=200)),
                ("trace_id", models.CharField(max_length=32)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("refused_number", models.IntegerField(null=True)),
                ("refused_code", models.CharField(blank=True, max_length=60)),
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
                "verbose_name": "historical transfer batch",
                "verbose_name_plural": "historical transfer batches",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="TransferBatch",
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
                ("partner_id", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("accepted", "Taken in, about to be carried out"),
                            ("running", "Being carried out"),
                            ("finished", "Carried out"),
                            ("refused", "Refused as a whole, nothing moved"),
                        ],
                        default="accepted",
                        max_length=10,
                    ),
                ),
                ("is_atomic", models.BooleanField()),
                ("item_count", models.IntegerField()),
                ("done_count", models.IntegerField(default=0)),
                ("refused_count", models.IntegerField(default=0)),
                ("replayed_count", models.IntegerField(default=0)),
                ("reference", models.CharField(blank=True, max_length=140)),
                ("origin", models.CharField(max_length=160)),
                ("key_scope", models.CharField(max_length=200)),
                ("requested_by", models.CharField(max_length=120)),
                ("requested_label", models.CharField(max_length=200)),
                ("requested_credential", models.CharField(max_length=200)),
                ("trace_id", models.CharField(max_length=32)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("refused_number", models.IntegerField(null=True)),
                ("refused_code", models.CharField(blank=True, max_length=60)),
            ],
            options={
                "verbose_name_plural": "transfer batches",
                "indexes": [
                    models.Index(fields=["book_id", "id"], name="batch_by_book"),
                    models.Index(
                        condition=models.Q(("state__in", ["accepted", "running"])),
                        fields=["id"],
                        name="batch_open",
                    ),
                    models.Index(fields=["trace_id"], name="batch_by_trace"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("origin",), name="batch_origin_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["accepted", "running", "finished", "refused"])
                        ),
                        name="batch_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("item_count__gte", 1), ("item_count__lte", 10000)),
                        name="batch_size_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("done_count__gte", 0),
                            ("refused_count__gte", 0),
                            ("replayed_count__gte", 0),
                            (
                                "item_count__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("done_count"), "+", models.F("refused_count")
                                    ),
                                    "+",
                                    models.F("replayed_count"),
                                ),
                            ),
                        ),
                        name="batch_counts_within_items",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "finished"), _negated=True),
                            (
                                "item_count",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("done_count"), "+", models.F("refused_count")
                                    ),
                                    "+",
                                    models.F("replayed_count"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="batch_finished_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("done_count", 0),
                                ("is_atomic", True),
                                ("refused_count", 1),
                                ("refused_number__isnull", False),
                                ("replayed_count", 0),
                                ("state", "refused"),
                                models.Q(("refused_code", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "refused"), _negated=True),
                                ("refused_code", ""),
                                ("refused_number__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_refused_moved_nothing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("finished_at__isnull", False),
                                ("state__in", ["finished", "refused"]),
                            ),
                            models.Q(
                                models.Q(("state__in", ["finished", "refused"]), _negated=True),
                                ("finished_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_over_has_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchItem",
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
                ("number", models.IntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("internal", "Internal"), ("payout", "Payout")], max_length=10
                    ),
                ),
                ("source_id", models.UUIDField()),
                ("destination_id", models.UUIDField(null=True)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reference", models.CharField(blank=True, max_length=140)),
                ("metadata", models.JSONField(default=dict)),
                ("key_hash", models.BinaryField(max_length=32)),
                ("fingerprint", models.BinaryField(max_length=32)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "Became a transfer"),
                            ("refused", "Refused"),
                            ("replayed", "Its key had made this very transfer before"),
                        ],
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=60)),
                ("facts", models.JSONField(default=dict)),
                (
                    "payee_iban",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "payee_name",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.transfer",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="transactions.transferbatch",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "")),
                        fields=["batch", "number"],
                        name="batch_item_open",
                    ),
                    models.Index(
                        condition=models.Q(("transfer__isnull", False)),
                        fields=["transfer"],
                        name="batch_item_by_transfer",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="batch_item_once"),
                    models.UniqueConstraint(
                        fields=("batch", "key_hash"), name="batch_item_key_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0), ("amount_minor__lte", 9223372036854775807)
                        ),
                        name="batch_item_amount_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("destination_id__isnull", False),
                                ("kind", "internal"),
                                ("payee_iban__isnull", True),
                            ),
                            models.Q(
                                ("destination_id__isnull", True),
                                ("kind", "payout"),
                                ("payee_iban__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="batch_item_has_one_destination",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code", ""), ("outcome", ""), ("transfer__isnull", True)),
                            models.Q(
                                ("code", ""),
                                ("outcome__in", ["done", "replayed"]),
                                ("transfer__isnull", False),
                            ),
                            models.Q(
                                ("outcome", "refused"),
                                ("transfer__isnull", True),
                                models.Q(("code", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_item_outcome_complete",
                    ),
                ],
            },
        ),
        run_sql("transactions", "0012_batches"),
    ]
