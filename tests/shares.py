"""How the suite is shared out: file by file, and first what takes longest, so that none waits."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# One sandbox and one browser for all of it.
BROWSER = "tests/browser"
LONGEST_FIRST = (
    BROWSER,
    "tests/attacks/test_admin_doors.py",
    "tests/transactions/test_admin_pages.py",
    "tests/races/test_limits.py",
    "tests/bank/test_bank.py",
    "tests/house/test_world.py",
)


class Shares(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker whole shares, one after the other, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        """Return which share a test belongs to."""
        return share_of(nodeid)


def share_of(nodeid: str) -> str:
    """Return what one worker takes as a whole: a file, for what it sets up is set up once."""
    return BROWSER if nodeid.startswith(f"{BROWSER}/") else nodeid.partition("::")[0]


def put_in_order(items: list[pytest.Item]) -> None:
    """Put the longest shares first, and what is one share together; within it nothing moves."""
    shares = dict.fromkeys([*LONGEST_FIRST, *(share_of(item.nodeid) for item in items)])
    ranks = {share: rank for rank, share in enumerate(shares)}
    items.sort(key=lambda item: ranks[share_of(item.nodeid)])
