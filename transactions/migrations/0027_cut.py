"""What has grown too large in the roll-up is read once to be cut."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0027_cut`."""

    dependencies: ClassVar = [("transactions", "0026_archive_rows")]
    operations: ClassVar = [run_sql("transactions", "0027_cut")]
