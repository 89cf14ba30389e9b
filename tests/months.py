"""Moving months out of the books and back, as their owner does at the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO

from django.core.management import call_command
from django.db import connection


def begin(month: date) -> datetime:
    return datetime.combine(month, datetime.min.time(), tzinfo=UTC)


def move(act: str, month: date) -> str:
    """Run `manage.py months` and return what it said."""
    said = StringIO()
    call_command("months", act, f"{month:%Y-%m}", reason="Disk is full", stdout=said)
    return said.getvalue()


def detach(month: date) -> str:
    return move("detach", month)


def attach(month: date) -> str:
    return move("attach", month)


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """Write past the rule that nobody changes a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
