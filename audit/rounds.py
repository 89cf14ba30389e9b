"""What every errand over many rows needs: one bad row must not stop the others."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


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
