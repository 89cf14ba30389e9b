"""What changed is looked for in one partition of the log."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `audit/sql/0004_lean`."""

    dependencies: ClassVar = [("audit", "0003_debts")]
    operations: ClassVar = [run_sql("audit", "0004_lean")]
