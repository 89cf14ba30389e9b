"""`python -m config.probe 8000`: is the web process on this port of this machine ready?"""

import http.client
import os
import sys
from collections.abc import Sequence
from http import HTTPStatus

TIMEOUT_SECONDS = 5


def main(arguments: Sequence[str]) -> int:
    """Ask under a name that the process answers to; return 0 when it is ready, 1 otherwise."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").partition(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(arguments[0]), timeout=TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/health/ready", headers={"Host": host})
        return int(connection.getresponse().status != HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
