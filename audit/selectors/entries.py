"""Reading the log."""

from django.db.models import QuerySet

from audit.models import Entry


def latest_entries(*, limit: int) -> QuerySet[Entry]:
    """Return the newest entries, newest first. For those who may read the whole log."""
    return Entry.objects.defer("body").order_by("-id")[:limit]
