"""A month that is away has a digest over each of its rows, so that a changed one is found."""

from typing import ClassVar

from django.db import migrations, models

from audit.sqlfiles import run_sql, versioned


class Migration(migrations.Migration):
    """Adds the digest of a month's rows, and runs `transactions/sql/0026_archive_rows`."""

    dependencies: ClassVar = [("transactions", "0025_parallel")]
    operations: ClassVar = [
        *versioned(
            *(
                migrations.AddField(
                    model_name=name,
                    name="rows_digest",
                    field=models.CharField(db_default="", default="", max_length=64),
                )
                for name in ("archivedmonth", "historicalarchivedmonth")
            )
        ),
        run_sql("transactions", "0026_archive_rows"),
    ]
