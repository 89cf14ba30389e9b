"""A key is claimed and kept, and letters are left, in one statement each."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `accounts/sql/0003_once`."""

    dependencies: ClassVar = [("accounts", "0002_guards"), ("audit", "0002_many")]
    operations: ClassVar = [run_sql("accounts", "0003_once")]
