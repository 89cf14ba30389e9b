"""Entries are read off their bodies, and versions are written a statement at a time."""

from typing import ClassVar

from django.db import migrations

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Runs `audit/sql/0002_many`."""

    dependencies: ClassVar = [("audit", "0001_initial")]
    operations: ClassVar = [run_sql("audit", "0002_many")]
