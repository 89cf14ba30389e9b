"""Who may, and whose it is: no row of these changes unseen, and letters are kept."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `accounts/sql/0002_guards`."""

    dependencies: ClassVar = [("accounts", "0001_initial"), ("audit", "0001_initial")]
    operations: ClassVar = [run_sql("accounts", "0002_guards")]
