"""What a bank says of our payouts is stored many at a time."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0023_payouts`."""

    dependencies: ClassVar = [("transactions", "0022_archive")]
    operations: ClassVar = [run_sql("transactions", "0023_payouts")]
