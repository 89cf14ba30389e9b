"""Places where a test may kill this process, to show that nothing is lost or done twice.

Every external write has one before and one after it. They do nothing unless
`settings.FAILPOINTS` is on, which only the sandbox and the tests do.
"""

import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")

FAILPOINTS: Final[set[str]] = set()


def failpoint(name: str) -> Callable[[], None]:
    """Declare the failpoint `name` and return the call that reaches it."""
    FAILPOINTS.add(name)

    def reach() -> None:
        if settings.FAILPOINTS and os.environ.get("FAILPOINT") == name:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def between_failpoints(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Put `<name>.before` and `<name>.after` round an external write."""
    before, after = failpoint(f"{name}.before"), failpoint(f"{name}.after")

    def around(func: Callable[P, R]) -> Callable[P, R]:
        @wraps(func)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            before()
            result = func(*args, **kwargs)
            after()
            return result

        return run

    return around
