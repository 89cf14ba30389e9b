"""Celery workers: ours as production runs it, and the peer that does nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import redis
from celery import Celery

from benchmarks._databases import login_url
from benchmarks._table import SECONDS
from config.env import BASE_DIR

PEER_DATABASE: Final = 9  # of Redis: far from our own bells
QUEUE: Final = "noop"
TASKS: Final = max(200, int(SECONDS * 500))
PATIENCE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.005


@contextmanager
def our_worker(**more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run our worker, beat beside it, under their own settings and login."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.worker",
        "DATABASE_URL": login_url("cs_worker"),
    }
    with tempfile.TemporaryDirectory() as folder:
        schedule = ["-s", str(Path(folder) / "schedule"), "--pidfile="]
        with (
            _celery("config.celery", "beat", *schedule, environment=environment | more),
            _celery(
                "config.celery", "worker", "-c", "2", environment=environment | more
            ) as worker,
        ):
            yield worker


class Noop:
    """C: a worker with two children and nothing to do."""

    def __init__(self) -> None:
        """Connect to the broker that the worker uses."""
        url = _peer_redis_url()
        self._broker = redis.Redis.from_url(url)
        self._app = Celery("bench", broker=url)
        self._app.conf.update(task_default_queue=QUEUE, task_ignore_result=True)
        self._tell("add_consumer")  # returns once the worker listens

    def rate(self) -> float:
        """Queue tasks up, let them go, and return how many a second the worker got through."""
        self._tell("cancel_consumer")
        with self._app.connection_for_write() as line:
            for _ in range(TASKS):
                self._app.send_task("noop.noop", connection=line)
        self._tell("add_consumer")
        started = time.perf_counter()
        while self._waiting():
            time.sleep(POLL_SECONDS)
        return TASKS / (time.perf_counter() - started)

    def _waiting(self) -> int:
        """Return how many tasks are queued or being worked on."""
        broker: Any = self._broker
        return int(broker.llen(QUEUE)) + int(broker.hlen("unacked"))

    def _tell(self, wish: str) -> None:
        """Tell the worker to start or stop listening to the queue, until it says that it has."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if getattr(self._app.control, wish)(QUEUE, reply=True, timeout=1, limit=1):
                return
        raise SystemExit("the peer's worker does not answer")


@contextmanager
def noop_worker() -> Iterator[Noop]:
    """Offer C."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(BASE_DIR),
        "PEER_REDIS_URL": _peer_redis_url(),
    }
    with _celery("benchmarks.peers.noop", "worker", "-c", "2", environment=environment):
        yield Noop()


@contextmanager
def _celery(
    application: str, *words: str, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", application, *words],
        env=dict(environment),
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process, number=signal.SIGTERM)


def end(process: "subprocess.Popen[bytes]", *, number: int = signal.SIGKILL) -> None:
    """End a worker and its children, by default without any warning."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(timeout=PATIENCE_SECONDS)


def _peer_redis_url() -> str:
    at = urlsplit(os.environ["REDIS_URL"])
    return urlunsplit((at.scheme, at.netloc, f"/{PEER_DATABASE}", "", ""))
