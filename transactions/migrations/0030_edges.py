"""What the books cannot count is refused, and whom the partners' door does not act for."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `transactions/sql/0030_room` and `0030_acting`."""

    dependencies: ClassVar = [("transactions", "0029_names")]
    operations: ClassVar = [
        run_sql("transactions", "0030_room"),
        run_sql("transactions", "0030_acting"),
    ]
