"""How many transfers a second does the partner API take, against its server's cheapest answer?

Peer: `GET /health/live` on the same server, kept-alive connections, no database. Every POST has a
bearer token and an idempotency key of its own; the replay row sends keys that were used before.
Rounds interleaved, medians.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from accounts.roles import SCOPES
from accounts.services.clients import register_client
from audit.typeids import uuid7
from benchmarks._house import FOUNDER, House, build, interleave, show

CONNECTIONS = 4
SECONDS = 2.0
ROUNDS = 5
PEER = "GET /health/live"
START_SECONDS = 30.0


@contextmanager
def api_server() -> Iterator[int]:
    """Run the real api process under its own settings and login; yield its port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    at = urlsplit(os.environ["DATABASE_URL"])
    password = json.loads(os.environ["LOGINS"])["cs_api"]
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings.api",
        "DATABASE_URL": f"postgresql://cs_api:{password}@{at.hostname}:{at.port}{at.path}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
    }
    server = [
        "--interface",
        "wsgi",
        "--port",
        str(port),
        "--workers",
        "2",
        "--blocking-threads",
        "4",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *server, "config.wsgi:application"],
        env=os.environ | ours,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def load(port: int, *, seconds: float, request: "Request") -> float:
    """Send requests over several kept-alive connections; return how many a second succeeded."""
    counts: list[int] = []
    deadline = time.perf_counter() + seconds

    def client() -> None:
        count = 0
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            while time.perf_counter() < deadline:
                count += request.send(connection)
        counts.append(count)

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


class Request:
    """One kind of request: `send` returns 1 where it was answered as it should be."""

    def __init__(self, *, token: str = "", house: House | None = None, key: str = "") -> None:
        """Describe a transfer between two of the house's accounts, or a bare GET."""
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.key = key
        self.body = b""
        if house is not None:
            order = {
                "kind": "internal",
                "source_account": house.accounts[0].public_id,
                "destination_account": house.accounts[1].public_id,
                "amount_minor": 1,
                "currency": "EUR",
            }
            self.body = json.dumps(order).encode()

    def send(self, connection: HTTPConnection) -> int:
        """Send it once and read the answer."""
        if not self.body:
            connection.request("GET", "/health/live")
        else:
            headers = self.headers | {"Idempotency-Key": self.key or uuid7().hex}
            connection.request("POST", "/v1/transfers", self.body, headers)
        answer = connection.getresponse()
        answer.read()
        return int(answer.status in (200, 201))


def main() -> None:
    """Measure and print."""
    house = build(accounts=2)
    client = register_client(
        actor=FOUNDER, partner_id=house.partner.pk, name="Bench", scopes=list(SCOPES)
    )
    with api_server() as port:
        token = _token(port, client_id=client.client_id, secret=client.secret)
        used = Request(token=token, house=house, key=uuid7().hex)
        load(port, seconds=0.5, request=used)
        requests = {
            PEER: Request(),
            "POST /v1/transfers, one account pays all": Request(token=token, house=house),
            "POST /v1/transfers, a key used before": used,
        }
        found = interleave(
            {
                name: partial(load, port, seconds=SECONDS, request=request)
                for name, request in requests.items()
            },
            rounds=ROUNDS,
        )
    show(f"HTTP, {CONNECTIONS} connections, 2 workers", found, peer=PEER)


def _token(port: int, *, client_id: str, secret: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "scope": " ".join(SCOPES),
    }
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/v1/oauth/token", urlencode(form), kind)
        return str(json.loads(connection.getresponse().read())["access_token"])


def _await(port: int) -> None:
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline:
        with closing(HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
            try:
                connection.request("GET", "/health/ready")
                if connection.getresponse().status == 200:  # noqa: PLR2004
                    return
            except OSError:
                time.sleep(0.1)
    raise SystemExit("the api process did not become ready")


if __name__ == "__main__":
    main()
