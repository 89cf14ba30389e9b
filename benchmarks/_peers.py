"""Our end of the peers: each is started once and then told to race whenever its turn comes."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, permutations
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from benchmarks._databases import borrowed
from benchmarks._house import ACCOUNTS
from benchmarks._servers import Server, peer
from benchmarks._table import SECONDS
from benchmarks._wire import bombard, post_of
from benchmarks.peers import plain
from benchmarks.peers.raw import Raw, pgbench_beside
from config.env import BASE_DIR
from config.sandbox.embedded_postgres import binaries
from config.sandbox.refusal import CannotRun

HORDAK_PYTHON: Final = BASE_DIR / ".venv-bench" / "bin" / "python"


class Peer:
    """A peer in a process of its own, with a database of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Wait until it has set itself up."""
        self._process = process
        self._hear()

    def race(self, *, processes: int, seconds: float) -> float:
        """Let it race; return its transfers a second."""
        return float(self._ask({"processes": processes, "seconds": seconds})["rate"])

    def wrong(self) -> list[str]:
        """Return what is wrong with its books by now."""
        return [str(line) for line in self._ask({})["wrong"]]

    def _ask(self, wish: dict[str, float]) -> dict[str, Any]:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("a peer without ears")
        stdin.write(json.dumps(wish) + "\n")
        stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit(f"the peer {self._process.args!r} fell silent")
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def raw(*, accounts: int) -> Iterator[Raw]:
    """Offer R and B, in a database of their own."""
    with borrowed("bench_raw") as address:
        yield Raw(address=address, accounts=accounts, pgbench=pgbench_beside(_programs()))


@contextmanager
def plain_orm(*, accounts: int) -> Iterator[Peer]:
    """Offer O."""
    with _started("orm", accounts=accounts, python=Path(sys.executable)) as peer:
        yield peer


@contextmanager
def hordak(*, accounts: int) -> Iterator[Peer]:
    """Offer K, which lives in the benchmarks' own environment."""
    if not HORDAK_PYTHON.exists():
        raise SystemExit("django-hordak is needed for K: `make bench` installs it")
    apps = ("mptt", "hordak")
    with _started("hordak", accounts=accounts, python=HORDAK_PYTHON, apps=apps) as peer:
        yield peer


class View:
    """A peer's view on a web server like ours."""

    def __init__(self, server: Server, *, token: str, bodies: Sequence[bytes]) -> None:
        """Note whom to ask what."""
        self._server = server
        self._token = token
        self._bodies = bodies
        self.bad: list[str] = []

    def load(self, *, connections: int) -> float:
        """Send fresh requests; return how many a second were taken."""
        load = bombard(
            self._server.port,
            connections=connections,
            requests=self._fresh(),
            seconds=SECONDS,
        )
        self.bad += load.bad
        return load.rate

    def _fresh(self) -> Iterator[bytes]:
        for body in cycle(self._bodies):
            headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": uuid4().hex}
            yield post_of("/v1/transfers", body=body, headers=headers)


@contextmanager
def plain_view() -> Iterator[View]:
    """Offer V."""
    with borrowed("bench_view") as address:
        plain.set_up(address)
        with peer("plain", database=address) as server:
            yield View(server, token="", bodies=_bodies(["acc_a", "acc_b"]))


@contextmanager
def drf_view() -> Iterator[View]:
    """Offer D."""
    words = [sys.executable, "-m", "benchmarks.peers", "drf", str(ACCOUNTS)]
    with borrowed("bench_drf") as address:
        said = subprocess.run(words, env=_environment(address), check=True, capture_output=True)
        known = json.loads(said.stdout)
        with peer("drf", database=address) as server:
            yield View(server, token=known["token"], bodies=_bodies(known["accounts"]))


def _bodies(accounts: Sequence[str | int]) -> list[bytes]:
    """Return orders between any two of the accounts, shuffled."""
    orders = [
        {
            "source_account": payer,
            "destination_account": payee,
            "amount_minor": 1,
            "currency": "EUR",
        }
        for payer, payee in permutations(accounts, 2)
    ]
    random.shuffle(orders)
    return [json.dumps(order).encode() for order in orders]


@contextmanager
def _started(
    name: str, *, accounts: int, python: Path, apps: Sequence[str] = ()
) -> Iterator[Peer]:
    with borrowed(f"bench_{name}") as address:
        process = subprocess.Popen(
            [python, "-m", "benchmarks.peers", name, str(accounts)],
            env=_environment(address) | {"PEER_APPS": " ".join(apps)},
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Peer(process)
        finally:
            process.terminate()
            process.communicate()


def _environment(address: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings",
        "PEER_DATABASE_URL": address,
    }


def _programs() -> Path | None:
    """Return the embedded server's programs, None where there is no such server."""
    try:
        return binaries()
    except CannotRun:
        return None
