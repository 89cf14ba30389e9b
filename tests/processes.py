"""Real API processes for tests: the web server of production on the database under test."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from config.env import BASE_DIR
from config.sandbox.environments import WRITES_PER_SECOND
from tests.conftest import STAGE
from tests.ports import free_port

START_SECONDS_MAX = 30.0
ANSWER_SECONDS_MAX = 30.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class ApiProcess:
    """One running API process."""

    port: int

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send one request on a connection of its own."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            line.request(method, path, body=body or None, headers=dict(headers))
            answer = line.getresponse()
            return Reply(
                status=answer.status, headers=dict(answer.getheaders()), body=answer.read()
            )
        finally:
            line.close()


@contextmanager
def api_process(
    *,
    database_port: int | None = None,
    database: str = "",
    workers: int = 1,
    writes_per_second: int = WRITES_PER_SECOND,
) -> Iterator[ApiProcess]:
    """Run the API as cs_api, with so many processes that serve.

    `database_port` puts something between it and the suite's server; `database` is the address
    of another server.
    """
    environment = _environment(database or _own_database(database_port))
    process = ApiProcess(port=free_port())
    words = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    words += ["--port", str(process.port), "--workers", str(workers), "--blocking-threads", "8"]
    running = subprocess.Popen(
        [sys.executable, *words, "--no-ws", "config.wsgi:application"],
        cwd=BASE_DIR,
        env=environment | {"WRITES_PER_SECOND": str(writes_per_second)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, running=running)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _own_database(port: int | None) -> str:
    """Return the address of the database under test."""
    at = connection.settings_dict
    place = f"{STAGE.passwords['cs_api']}@{at['HOST']}:{port or at['PORT']}/{at['NAME']}"
    return f"postgresql://cs_api:{place}"


def _environment(database: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings.api",
        "DATABASE_URL": database,
        "REDIS_URL": os.environ["REDIS_URL"],
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "ANSWER_KEY": settings.ANSWER_KEY,
        "VAULT_KEY": settings.VAULT_KEY,
    }


def _wait(process: ApiProcess, *, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end and running.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            if process.send("GET", "/health/live", headers={}).status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("the API process did not start")
