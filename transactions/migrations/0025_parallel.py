"""The check of the books may use more than one core."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0025_parallel`."""

    dependencies: ClassVar = [("transactions", "0024_sides")]
    operations: ClassVar = [run_sql("transactions", "0025_parallel")]
