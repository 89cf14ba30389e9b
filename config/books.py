"""How the books stand, for the home page: an alarm that cannot be missed, or one quiet line."""

from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.timesince import timesince

from transactions.selectors.findings import latest_check, open_findings

SHOWN_MAX: Final = 20
# Three looks that beat should have taken.
LATE_AFTER: Final = timedelta(minutes=15)


def standing() -> dict[str, Any]:
    """Return what is wrong with the books, how much of it there is, and when they were checked."""
    found = list(open_findings()[: SHOWN_MAX + 1])
    check, now = latest_check(), timezone.now()
    is_late = check is None or now - check.checked_at > LATE_AFTER
    if check is None:
        said = "The books have not been checked yet. The worker does it every five minutes."
    else:
        ago = "less than a minute" if now - check.checked_at < timedelta(minutes=1) else ""
        ago = ago or timesince(check.checked_at, now, depth=1)
        said = f"Books checked {ago} ago{':' if not found else '.'}"
        said += "" if found else " all hold."
    if check is not None and is_late:
        said += " That is too long ago: is the worker running?"
    return {
        "findings": found[:SHOWN_MAX],
        "count": f"{SHOWN_MAX}+" if len(found) > SHOWN_MAX else str(len(found)),
        "checked": said,
        "is_late": is_late,
    }
