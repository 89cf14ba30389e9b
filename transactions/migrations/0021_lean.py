"""One transfer takes fewer and smaller plans."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0021_lean`."""

    dependencies: ClassVar = [("transactions", "0020_news"), ("audit", "0004_lean")]
    operations: ClassVar = [run_sql("transactions", "0021_lean")]
