"""Keys of a batch's items are kept in one statement."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `accounts/sql/0008_many_keys`."""

    dependencies: ClassVar = [("accounts", "0007_key_indexes")]
    operations: ClassVar = [run_sql("accounts", "0008_many_keys")]
