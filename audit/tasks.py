"""Celery entry points of the log."""

from celery import shared_task

from audit.services import partitions


@shared_task(name="audit.make_partitions")
def make_partitions() -> int:
    """Create the partitions of the next three months; running twice creates none twice."""
    return partitions.make_partitions()
