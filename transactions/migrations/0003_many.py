"""The books are written many at a time, and keep only the indexes that somebody reads by."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Changes the indexes and runs `transactions/sql/0003_many`."""

    dependencies: ClassVar = [
        ("accounts", "0003_once"),
        ("transactions", "0002_books"),
    ]

    operations: ClassVar = [
        migrations.RemoveIndex(
            model_name="journal",
            name="journal_by_origin",
        ),
        migrations.RemoveIndex(
            model_name="transfer",
            name="transfer_by_reference",
        ),
        migrations.RemoveIndex(
            model_name="transfer",
            name="transfer_by_provider_ref",
        ),
        migrations.AlterField(
            model_name="historicaltransfer",
            name="origin",
            field=models.CharField(max_length=160),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="approval",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.approval",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="destination",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.ledgeraccount",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="origin",
            field=models.CharField(max_length=160),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="payee_iban",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.vaultrecord",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="payee_name",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.vaultrecord",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.ledgeraccount",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("destination__isnull", False)),
                fields=["destination"],
                name="transfer_by_destination",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("approval__isnull", False)),
                fields=["approval"],
                name="transfer_by_approval",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("reference", ""), _negated=True),
                fields=["reference"],
                name="transfer_by_reference",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=["provider_ref"],
                name="transfer_by_provider_ref",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(fields=("origin",), name="transfer_origin_once"),
        ),
        run_sql("transactions", "0003_many"),
    ]
