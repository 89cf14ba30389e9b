"""Making room in the big append-only tables before their months begin."""

from django.db import connection


def make_partitions() -> int:
    """Create the partitions of the next three months; return how many were missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions()")
        return int(cursor.fetchone()[0])
