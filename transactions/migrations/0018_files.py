"""Finance uploads files of transfers, and a batch that staff asks for rests on an approval."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import audit.typeids
from audit.sqlfiles import run_sql, versioned


class Migration(migrations.Migration):
    """Makes the table, adds the column, and runs `transactions/sql/0018_files`."""

    dependencies: ClassVar = [("accounts", "0009_life"), ("transactions", "0017_conversions")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="BatchFile",
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
                ("name", models.CharField(max_length=120)),
                ("content", models.TextField()),
                ("row_count", models.IntegerField()),
                ("rows_sha256", models.CharField(max_length=64)),
                ("file_sha256", models.CharField(max_length=64)),
                ("uploaded_by", models.CharField(max_length=120)),
                ("uploaded_label", models.CharField(max_length=200)),
                ("uploaded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.book",
                    ),
                ),
            ],
            options={
                "verbose_name": "file of transfers",
                "verbose_name_plural": "files of transfers",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("book", "rows_sha256"), name="batch_file_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(row_count__gte=1, row_count__lte=10_000),
                        name="batch_file_size_in_range",
                    ),
                ],
            },
        ),
        *versioned(
            migrations.AddField(
                model_name="transferbatch",
                name="approval",
                field=models.OneToOneField(
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="accounts.approval",
                ),
            ),
            migrations.AddField(
                model_name="historicaltransferbatch",
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
            run_sql("transactions", "0018_files"),
        ),
    ]
