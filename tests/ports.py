"""Ports for the servers that tests start: nobody else is given them."""

import os
import random
from typing import Final

from config.sandbox.state import is_free

# Below the range that the kernel gives to callers: a caller of a server that is down could be
# given the server's own port, and would talk to itself.
PORTS: Final = range(12_000, 32_000)
WORKERS_MAX: Final = 4


def free_port() -> int:
    """Return a port nobody listens on; of several workers each draws from its own."""
    ours = ports_of(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
    return next(port for port in random.sample(ours, k=100) if is_free(port))


def ports_of(worker: str) -> range:
    """Return the ports that a worker draws from."""
    return PORTS[int(worker.removeprefix("gw")) % WORKERS_MAX :: WORKERS_MAX]
