"""Parameters in an address, read exactly: known, given once, and what they say they are."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from rest_framework.request import Request

from accounts.frontdesk.parsing import shown_name
from audit.errors import Invalid

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 9997
INSTANT_RULE: Final = "must be an instant such as 2026-11-01T00:00:00Z, or a day (UTC)"


def parameters_of(request: Request, *, known: Collection[str]) -> Mapping[str, str]:
    """Return the parameters of a request; Invalid naming each unknown or doubled one."""
    given = request.query_params
    problems = {
        shown_name(name): "is not a parameter here" if name not in known else "twice"
        for name in given
        if name not in known or len(given.getlist(name)) > 1
    }
    if problems:
        raise Invalid(fields=problems)
    return {name: str(given[name]) for name in given}


def read_instant(text: str) -> datetime:
    """Return the instant that `text` spells, or the beginning of its day; else a ValueError."""
    if not DAY.fullmatch(text) and not INSTANT.fullmatch(text):
        raise ValueError(INSTANT_RULE)
    try:
        found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(INSTANT_RULE) from error
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise ValueError(f"must be of the years {YEAR_MIN} to {YEAR_MAX}")
    return found
