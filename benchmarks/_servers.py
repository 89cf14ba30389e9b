"""Granian as production runs it, for our processes and for peers: same workers, same threads."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final

from benchmarks._databases import login_url
from config.env import BASE_DIR

WORKERS: Final = 2
THREADS: Final = 4
START_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running web server: where it listens, and its main process."""

    port: int
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """End it and its workers without any warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ours(name: str, *, workers: int = WORKERS, **more: str) -> AbstractContextManager[Server]:
    """Serve one of our processes under its own settings and login."""
    return serving(
        "config.wsgi:application",
        environment=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": f"config.settings.{name}",
            "DATABASE_URL": login_url(f"cs_{name}"),
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
        }
        | more,
        workers=workers,
    )


def peer(name: str, *, database: str) -> AbstractContextManager[Server]:
    """Serve a peer's view."""
    return serving(
        "benchmarks.peers.wsgi:application",
        environment={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(BASE_DIR),
            "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings",
            "PEER_DATABASE_URL": database,
            "PEER_URLS": f"benchmarks.peers.{name}",
        },
    )


@contextmanager
def serving(
    application: str, *, environment: Mapping[str, str], workers: int = WORKERS
) -> Iterator[Server]:
    """Run an application in granian until the block ends."""
    port = free_port()
    words = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    words += ["--workers", str(workers), "--blocking-threads", str(THREADS), application]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *words],
        env=dict(environment),
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(port, process=process)
        yield Server(port=port, process=process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=START_SECONDS_MAX)


def free_port() -> int:
    """Return a port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, *, process: "subprocess.Popen[bytes]") -> None:
    """Wait until anything at all is answered."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with (
            suppress(OSError, HTTPException),
            closing(HTTPConnection("127.0.0.1", port, timeout=5)) as line,
        ):
            line.request("GET", "/health/live")
            line.getresponse()
            return
        time.sleep(0.1)
    raise SystemExit("the web server did not become ready")
