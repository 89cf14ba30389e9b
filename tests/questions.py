"""What a page asks of the database."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def questions(ask: Callable[[], Any]) -> list[str]:
    """Return what is asked of the database."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    return [query["sql"] for query in asked]
