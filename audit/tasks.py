"""Celery entry points of the log."""

from celery import shared_task
from django.db import connection


@shared_task(name="audit.make_partitions")
def make_partitions() -> int:
    """Create the partitions of the next three months; running twice creates none twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions()")
        return int(cursor.fetchone()[0])
