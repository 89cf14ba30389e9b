"""The real crew as processes: door, Celery worker and beat, on a Redis that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

from config.env import BASE_DIR
from config.sandbox.embedded_redis import binary
from tests.clusters import Cluster, children_of
from tests.conftest import STAGE
from tests.doubles import TOKEN
from tests.faults.conftest import Doubles
from tests.ports import free_port
from tests.processes import ApiProcess

START_SECONDS = 30.0
GRANIAN = [
    "-m",
    "granian",
    "--interface",
    "wsgi",
    "--host",
    "127.0.0.1",
    "--workers",
    "1",
    "--no-ws",
]


@dataclass
class Crew:
    """Everybody who works off the inbox, and the bell they listen to."""

    folder: Path
    outside: Doubles
    secret: str
    server: Cluster | None = None  # where the suite's own is not to be hurt
    redis_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_redis(self) -> None:
        """Start the bell, empty."""
        words = [
            str(binary()),
            "--port",
            str(self.redis_port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ]
        self._start("redis", words, environment={})

    def start(self) -> None:
        """Start everybody and wait until the door opens and the worker is ready."""
        self.start_redis()
        door = [sys.executable, *GRANIAN, "--port", str(self.port), "config.wsgi:application"]
        self._start("door", door, environment=self._environment("callbacks"))
        self.start_workers()
        self._await_door()

    def start_workers(self) -> None:
        """Start the worker, with two children, and beat; wait until the worker is ready."""
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        schedule = str(self.folder / "schedule")
        self._start(
            "worker",
            [*celery, "worker", "-c", "2", "--loglevel", "INFO"],
            environment=self._environment("worker"),
        )
        self._start(
            "beat",
            [*celery, "beat", "-s", schedule, "--pidfile="],
            environment=self._environment("worker"),
        )
        self._await_worker()

    def kill(self, name: str) -> None:
        """End one of them without any warning, with all its children."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        """End everybody."""
        for name in list(self.running):
            self.kill(name)

    def children_of_worker(self) -> list[int]:
        """Return the processes that carry out the worker's tasks."""
        return children_of(self.running["worker"].pid)

    def post(self, *, headers: dict[str, str], body: bytes) -> int:
        """Send one callback through the door."""
        door = ApiProcess(port=self.port)
        return door.send("POST", "/callbacks/stripe/main", headers=headers, body=body).status

    def _start(self, name: str, words: list[str], *, environment: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                words,
                cwd=BASE_DIR,
                env={"PATH": os.environ["PATH"]} | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self, role: str) -> dict[str, str]:
        bank, stripe = self.outside.bank.port, self.outside.stripe.port
        return {
            "DJANGO_SETTINGS_MODULE": f"config.settings.{role}",
            "DATABASE_URL": self._database(f"cs_{role}"),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "SECRET_KEY": settings.SECRET_KEY,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "CALLBACK_SECRETS": json.dumps({"stripe/main": [self.secret]}),
            "INBOX_PUBLIC_KEY": settings.INBOX_PUBLIC_KEY,
            "INBOX_PRIVATE_KEY": settings.INBOX_PRIVATE_KEY,
            "DERIVATION_KEY": settings.DERIVATION_KEY,
            "VAULT_KEY": settings.VAULT_KEY,
            "STRIPE_API_URL": f"http://127.0.0.1:{stripe}",
            "STRIPE_API_KEY": TOKEN,
            "TESTBANK_URL": f"http://127.0.0.1:{bank}",
            "TESTBANK_TOKEN": TOKEN,
            "OUTBOUND_LOOPBACK": f"127.0.0.1:{stripe},127.0.0.1:{bank}",
        }

    def _database(self, login: str) -> str:
        """Return a login's address on the server that the crew works on."""
        if self.server is not None:
            return self.server.url(login)
        at, password = connection.settings_dict, STAGE.passwords[login]
        return f"postgresql://{login}:{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"

    def _await_worker(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while " ready." not in (self.folder / "worker.log").read_text():
            if time.monotonic() > deadline:
                raise RuntimeError("the worker was never ready")
            time.sleep(0.1)

    def _await_door(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                door = ApiProcess(port=self.port)
                if door.send("GET", "/health/ready", headers={}).status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError("the door did not open")


@contextmanager
def crew_at_work(folder: Path, *, outside: Doubles, secret: str) -> Iterator[Crew]:
    """Start the crew and end all of it afterwards."""
    crew = Crew(folder=folder, outside=outside, secret=secret)
    with ExitStack() as stack:
        stack.callback(crew.kill_all)
        crew.start()
        yield crew
