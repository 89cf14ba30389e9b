"""A version bears its row's own trace where one act is many."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `audit/sql/0005_traces`."""

    dependencies: ClassVar = [("audit", "0004_lean")]
    operations: ClassVar = [run_sql("audit", "0005_traces")]
