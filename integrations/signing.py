"""What every callback signature scheme needs. Pure, and safe on any input."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=300)


def one_header(headers: Mapping[str, str], name: str) -> str | None:
    """Return the value of the only header `name`, in any case; None if absent or repeated."""
    found = [value for key, value in headers.items() if key.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def any_equal(given: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """Say whether any of `given` is any of `expected`; the time taken tells nothing of which."""
    wanted = list(expected)
    found = False
    for signature in given:
        for digest in wanted:
            found |= hmac.compare_digest(signature, digest)
    return found


def is_current(epoch_seconds: int, *, now: datetime) -> bool:
    """Say whether a signed instant lies within the window of `now`, on either side."""
    return abs(now - datetime.fromtimestamp(epoch_seconds, tz=UTC)) <= WINDOW
