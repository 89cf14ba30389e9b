"""The accounts of a transfer are looked up where it is stored."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0024_sides`."""

    dependencies: ClassVar = [("transactions", "0023_payouts"), ("audit", "0004_lean")]
    operations: ClassVar = [run_sql("transactions", "0024_sides")]
