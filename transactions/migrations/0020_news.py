"""Rows that news is about are stored many at a time."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0020_news`."""

    dependencies: ClassVar = [("transactions", "0019_changes")]
    operations: ClassVar = [run_sql("transactions", "0020_news")]
