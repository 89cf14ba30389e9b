"""What changed is looked for in the log once a statement, not once a row."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `audit/sql/0003_debts`, after what was guarded row by row."""

    dependencies: ClassVar = [
        ("audit", "0002_many"),
        ("accounts", "0009_life"),
        ("transactions", "0013_life"),
    ]
    operations: ClassVar = [run_sql("audit", "0003_debts")]
