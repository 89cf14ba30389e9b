"""A partner's short name and an account's alias are theirs for good: trust goes by them."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0029_names`."""

    dependencies: ClassVar = [
        ("transactions", "0027_cut"),
        ("accounts", "0009_life"),
    ]
    operations: ClassVar = [run_sql("transactions", "0029_names")]
