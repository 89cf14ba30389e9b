"""Reading what the checks of the books found."""

from django.db.models import QuerySet

from transactions.models import BooksCheck, Finding


def open_findings(*, lock: bool = False) -> QuerySet[Finding]:
    """Return what is wrong with the books, the oldest first; with `lock`, locked by key."""
    rows = Finding.objects.filter(gone_at__isnull=True)
    if lock:
        return rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return rows.order_by("first_seen_at", "pk")


def latest_check() -> BooksCheck | None:
    """Return the last look at the books; None where nobody looked yet."""
    return BooksCheck.objects.order_by("-checked_at").first()
