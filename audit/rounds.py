"""What every errand over many rows needs: no row, and no errand, may stop the others."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger(__name__)

SHARE_SECONDS: Final = 20.0


def share() -> Callable[[], bool]:
    """Begin a round's share of a worker's time; what is returned says whether any is left.

    Whoever has more to do goes on at the next walk-by, when the others have had theirs: ten
    thousand payouts in line must not keep a batch or a callback waiting.
    """
    ends = time.monotonic() + SHARE_SECONDS
    return lambda: time.monotonic() < ends


@contextmanager
def one_alone(what: str, *, otherwise: Callable[[], object] | None = None) -> Iterator[None]:
    """Report whatever goes wrong with one row, and let the errand go on with the next.

    A round is a process edge, so a Fault ends here and raises its alarm;
    `otherwise` puts the row aside.
    """
    try:
        yield
    except Exception:
        log.exception("%s was put aside", what)
        if otherwise is not None:
            otherwise()
