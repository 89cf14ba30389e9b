"""A partner pays into another's book: by an alias, with that account's owner's consent."""

from typing import ClassVar

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql, versioned


class Migration(migrations.Migration):
    """Adds consents, and the alias of a transfer; runs `transactions/sql/0015_interbook`."""

    dependencies: ClassVar = [
        ("accounts", "0009_life"),
        ("transactions", "0014_limits"),
    ]

    operations: ClassVar = versioned(
        migrations.CreateModel(
            name="HistoricalPayInConsent",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("book_id", models.UUIDField()),
                ("payer", models.CharField(max_length=40)),
                ("given_by", models.CharField(max_length=120)),
                ("given_at", models.DateTimeField(blank=True, editable=False)),
                ("withdrawn_at", models.DateTimeField(null=True)),
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
                "verbose_name": "historical consent to pay in",
                "verbose_name_plural": "historical consents to pay in",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PayInConsent",
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
                ("payer", models.CharField(max_length=40)),
                ("given_by", models.CharField(max_length=120)),
                ("given_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "consent to pay in",
                "verbose_name_plural": "consents to pay in",
            },
        ),
        migrations.RemoveConstraint(
            model_name="transfer",
            name="transfer_has_one_destination",
        ),
        migrations.RemoveConstraint(
            model_name="transfer",
            name="transfer_reversed_within",
        ),
        migrations.AddField(
            model_name="historicaltransfer",
            name="destination_alias",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="transfer",
            name="destination_alias",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AlterField(
            model_name="batchitem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("internal", "Internal"),
                    ("partner", "To another partner"),
                    ("payout", "Payout"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="historicaltransfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("internal", "Internal"),
                    ("partner", "To another partner"),
                    ("payout", "Payout"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("internal", "Internal"),
                    ("partner", "To another partner"),
                    ("payout", "Payout"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("destination__isnull", False),
                        ("destination_alias", ""),
                        ("kind", "internal"),
                        ("payee_iban__isnull", True),
                    ),
                    models.Q(
                        ("destination__isnull", False),
                        ("kind", "partner"),
                        ("payee_iban__isnull", True),
                        models.Q(("destination_alias", ""), _negated=True),
                    ),
                    models.Q(
                        ("destination__isnull", True),
                        ("kind", "payout"),
                        ("payee_iban__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="transfer_has_one_destination",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("reversed_minor", 0), models.Q(("state", "reversed"), _negated=True)
                    ),
                    models.Q(
                        ("kind__in", ("internal", "partner")),
                        ("reversed_minor__gt", 0),
                        ("reversed_minor__lt", models.F("amount_minor")),
                        ("state", "settled"),
                    ),
                    models.Q(
                        ("kind__in", ("internal", "partner")),
                        ("reversed_minor", models.F("amount_minor")),
                        ("state", "reversed"),
                    ),
                    _connector="OR",
                ),
                name="transfer_reversed_within",
            ),
        ),
        migrations.AddField(
            model_name="historicalpayinconsent",
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
            model_name="payinconsent",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="consents",
                to="transactions.ledgeraccount",
            ),
        ),
        migrations.AddConstraint(
            model_name="payinconsent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("account", "payer"),
                name="consent_stands_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="payinconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(("payer", ""), _negated=True), name="consent_names_a_payer"
            ),
        ),
        run_sql("transactions", "0015_interbook"),
    )
