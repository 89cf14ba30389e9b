"""Reading what the checks of the books found."""

from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from transactions.models import BooksCheck, Finding
from transactions.selectors.changes import Watermark, watermark
from transactions.selectors.clocks import is_rolled_up_here

# How long what lies outside of the changes may go unseen: so many times as long as it takes to
# see, a day at most. A million postings take five seconds: up to there every look is whole.
EVERYTHING_AFTER: Final = timedelta(days=1)
REST: Final = 50


def open_findings(*, lock: bool = False) -> QuerySet[Finding]:
    """Return what is wrong with the books, the oldest first; with `lock`, locked by key."""
    rows = Finding.objects.filter(gone_at__isnull=True)
    if lock:
        return rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return rows.order_by("first_seen_at", "pk")


def latest_check() -> BooksCheck | None:
    """Return the last look at the books; None where nobody looked yet."""
    return BooksCheck.objects.order_by("-checked_at").first()


def last_clean() -> Watermark | None:
    """Return where the last look began, if all held and it may be gone on from.

    None where something was wrong, where it is time to look at everything, where
    the roll-up stood still for a day, and after a restore into another cluster.
    """
    last, yesterday = latest_check(), timezone.now() - EVERYTHING_AFTER
    if last is None or last.findings or last.began_xact is None or last.began_at is None:
        return None
    is_of_here = last.began_xact <= watermark().xact and is_rolled_up_here()
    if last.began_at < yesterday or not is_of_here or _is_time_for_everything():
        return None
    return Watermark(xact=last.began_xact, at=last.began_at)


def _is_time_for_everything() -> bool:
    full = BooksCheck.objects.filter(is_full=True).order_by("-checked_at").first()
    if full is None:
        return True
    rest = min(EVERYTHING_AFTER, REST * timedelta(milliseconds=full.duration_ms))
    return full.checked_at < timezone.now() - rest
