"""Payouts have a register of payees, and every detail in it is signed twice."""

from typing import ClassVar

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds payees and their changes; runs `transactions/sql/0010_payees`."""

    dependencies: ClassVar = [
        ("accounts", "0005_payee_policy"),
        ("transactions", "0009_suspense"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="HistoricalRegisteredPayee",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("book_id", models.UUIDField()),
                ("alias", models.CharField(max_length=80)),
                ("iban_blind", models.CharField(max_length=64)),
                ("version", models.IntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("active", "Registered"),
                            ("declined", "Declined"),
                            ("retired", "Retired"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("details_at", models.DateTimeField(null=True)),
                ("payable_from", models.DateTimeField(null=True)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(blank=True, editable=False)),
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
                (
                    "iban",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "name",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical payee",
                "verbose_name_plural": "historical payees",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RegisteredPayee",
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
                ("alias", models.CharField(max_length=80)),
                ("iban_blind", models.CharField(max_length=64)),
                ("version", models.IntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for a second person"),
                            ("active", "Registered"),
                            ("declined", "Declined"),
                            ("retired", "Retired"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("details_at", models.DateTimeField(null=True)),
                ("payable_from", models.DateTimeField(null=True)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "iban",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "name",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
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
            options={"verbose_name": "payee"},
        ),
        migrations.CreateModel(
            name="PayeeChange",
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
                ("version", models.IntegerField()),
                ("iban_blind", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=300)),
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
                    "iban",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "name",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.vaultrecord",
                    ),
                ),
                (
                    "payee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="transactions.registeredpayee",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="registeredpayee",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["proposed", "active"])),
                fields=("book_id", "alias"),
                name="payee_alias_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="registeredpayee",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["proposed", "active"])),
                fields=("book_id", "iban_blind"),
                name="payee_iban_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="registeredpayee",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "active", "declined", "retired"])),
                name="payee_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="registeredpayee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "active"), _negated=True),
                    models.Q(("details_at__isnull", False), ("payable_from__isnull", False)),
                    _connector="OR",
                ),
                name="payee_payable_when_active",
            ),
        ),
        run_sql("transactions", "0010_payees"),
    ]
