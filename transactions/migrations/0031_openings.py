"""An account comes into being whole, and only under a word of two."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0031_openings`."""

    dependencies: ClassVar = [
        ("transactions", "0030_edges"),
        ("accounts", "0009_life"),
    ]
    operations: ClassVar = [run_sql("transactions", "0031_openings")]
