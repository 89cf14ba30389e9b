"""A child that must not outlive its parent, and PostgreSQL's identity when we are root.

The leash follows the thread that starts the child: start children from the main thread only.
"""

import ctypes
import functools
import os
import subprocess
from collections.abc import Callable
from signal import SIGTERM, Signals
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PRIVATE: Final = 0o077
NOBODY: Final = 65534
NAMESPACE: Final = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
OTHER_USER: Final = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
_LIBC: Final = ctypes.CDLL(None)


def leashed(on_parent_death: Signals, *, own_session: bool = True) -> Callable[[], None]:
    """Return what a child does before it becomes its program."""

    def prepare() -> None:
        if own_session:
            os.setsid()
            os.umask(PRIVATE)
        _LIBC.prctl(PR_SET_PDEATHSIG, int(on_parent_death), 0, 0, 0)

    return prepare


def die_with_parent() -> None:
    """End politely when whoever started us is gone, even if it was killed outright."""
    _LIBC.prctl(PR_SET_PDEATHSIG, int(SIGTERM), 0, 0, 0)


@functools.cache
def has_namespaces() -> bool:
    """Say whether root may take another identity without changing any file's owner."""
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def is_other_user() -> bool:
    """Say whether PostgreSQL has to run as another user, who must own its folders."""
    return os.geteuid() == 0 and not has_namespaces()


def unprivileged(on_parent_death: Signals) -> list[str]:
    """Return the words before a command that PostgreSQL accepts: it refuses to be root.

    The process id stays the same, and the leash is fastened after the identity has changed:
    changing it would undo the leash.
    """
    leash = ["setpriv", "--pdeathsig", on_parent_death.name.removeprefix("SIG")]
    if os.geteuid():
        return leash
    if has_namespaces():
        return [*NAMESPACE, *leash]
    return [*OTHER_USER, *leash[1:]]
