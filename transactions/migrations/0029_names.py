"""Names that others trust are their bearers'; a limit that was kept tells how it stands."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0029_names` and `0029_limit_kept`."""

    dependencies: ClassVar = [
        ("transactions", "0027_cut"),
        ("accounts", "0009_life"),
    ]
    operations: ClassVar = [
        run_sql("transactions", "0029_names"),
        run_sql("transactions", "0029_limit_kept"),
    ]
