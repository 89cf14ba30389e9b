"""The books balance and do not change, and no transfer or payment moves unseen."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0002_books`."""

    dependencies: ClassVar = [("transactions", "0001_initial"), ("accounts", "0002_guards")]
    operations: ClassVar = [run_sql("transactions", "0002_books")]
