"""PostgreSQL servers that a test may kill: copies of one that was migrated once, and durable.

The suite's own server keeps no word (fsync off) and may not be hurt; these keep theirs.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from django.core.management import call_command
from django.db import connections

from config.env import BASE_DIR
from config.sandbox.embedded_postgres import DURABLE, FORGETFUL, OWNER, postgres
from config.sandbox.keys import Keys
from config.sandbox.leash import PRIVATE
from config.sandbox.logins import make_logins
from config.sandbox.servers import DATABASE, LOGINS
from config.sandbox.state import LOOPBACK, State
from tests.ports import free_port
from tests.stage import template_name

KEPT: Final = BASE_DIR / ".test" / "clusters"
START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 15.0
POLL_SECONDS: Final = 0.01


class ServerFailed(RuntimeError):
    """A server did not start or end in time; the end of its log is the message."""


@dataclass
class Cluster:
    """One server in its own folder, with the logins of all processes."""

    root: Path
    settings: Mapping[str, str] = field(default_factory=lambda: dict(DURABLE))
    hba: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Find the folder's own secret and port."""
        self.state = State(self.root)
        self.keys = Keys(self.state.secret())

    @property
    def port(self) -> int:
        """Return where it listens, or will."""
        return self.state.remembered_ports()["postgres"]

    @property
    def passwords(self) -> Mapping[str, str]:
        """Every login's own password."""
        return {login: self.keys.password(login) for login in LOGINS}

    @property
    def administrator_url(self) -> str:
        """The address of its administrator."""
        place = f"{OWNER}:{self.keys.password(OWNER)}@{LOOPBACK}:{self.port}"
        return f"postgresql://{place}/postgres"

    def url(self, login: str, *, port: int = 0) -> str:
        """Return a login's address; `port` leads through something that stands before it."""
        place = f"{login}:{self.passwords[login]}@{LOOPBACK}:{port or self.port}"
        return f"postgresql://{place}/{DATABASE}"

    def start(self, **more: str) -> None:
        """Start it with `more` settings and return when it accepts logins."""
        part = postgres(self.state, keys=self.keys, settings={**self.settings, **more})
        with (self.root / "postgres/pg_hba.conf").open("a") as rules:
            rules.writelines(f"{line}\n" for line in self.hba)
        with (self.state.folder("logs") / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                part.command,
                env={"PATH": os.environ["PATH"]},
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=PRIVATE,
            )
        end = time.monotonic() + START_SECONDS_MAX
        while not part.is_ready(self.process.pid):
            if self.process.poll() is not None or time.monotonic() > end:
                raise ServerFailed(self.last_words())
            time.sleep(POLL_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT in order, SIGQUIT at once as in a crash. Killed if it does not end."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """End the server and all its children without any warning, as a lost machine would."""
        if self.process is None:
            return
        family = [self.process.pid, *children_of(self.process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=STOP_SECONDS_MAX)
        self.process = None

    @contextmanager
    def administrator(self, database: str = DATABASE) -> Iterator[psycopg.Connection]:
        """Connect as its administrator."""
        address = psycopg.conninfo.make_conninfo(
            self.administrator_url, dbname=database, connect_timeout=2
        )
        with psycopg.connect(address, autocommit=True) as connection:
            yield connection

    def end(self) -> None:
        """Kill it and throw its data away: thousands of files that nobody will read."""
        self.kill()
        shutil.rmtree(self.root / "postgres", ignore_errors=True)

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log."""
        log = (self.root / "logs/postgres.log").read_text(errors="replace")
        return "\n".join(log.splitlines()[-lines:])

    @contextmanager
    def entered(self, role: str, *, port: int = 0) -> Iterator[None]:
        """Let Django's connections of every thread lead here, as a login, for a while."""
        at = connections["default"].settings_dict
        before = {name: at[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
        connections.close_all()
        login = f"cs_{role}"
        at.update(HOST=LOOPBACK, PORT=str(port or self.port), NAME=DATABASE)
        at.update(USER=login, PASSWORD=self.passwords[login])
        try:
            yield
        finally:
            connections.close_all()
            at.update(before)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a fresh copy of the migrated server in `folder`; nothing of it runs on afterwards."""
    made = Cluster(copied(folder / "server"))
    try:
        made.start()
        yield made
    finally:
        made.end()


def copied(folder: Path) -> Path:
    """Copy the migrated server's folder to `folder`, with a port of its own."""
    original = _migrated()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # No copytree: a socket's lock file may be there, and holes in files should stay holes.
    subprocess.run(["cp", "-a", "--reflink=auto", str(original), str(folder)], check=True)
    choose_port(folder)
    return folder


def choose_port(folder: Path) -> None:
    """Give the server of a folder a port that nobody uses."""
    State(folder).write_json("ports.json", {"postgres": free_port()})


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started itself."""
    listed = subprocess.run(
        ["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False
    )
    return [int(child) for child in listed.stdout.split()]


def _migrated() -> Path:
    """Return the folder of a stopped server with our schema, made at the first call."""
    KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = KEPT / template_name()
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for old in KEPT.glob("template_*"):
                shutil.rmtree(old)
            draft = KEPT / "draft"
            shutil.rmtree(draft, ignore_errors=True)
            _make(draft)
            draft.rename(folder)
    return folder


def _make(folder: Path) -> None:
    """Make a server and migrate its database, fast; it is stopped in order at the end."""
    State(folder)
    choose_port(folder)
    made = Cluster(folder, settings=FORGETFUL)
    made.start()
    try:
        make_logins(made)
        with made.entered("migrator"):
            call_command("migrate", verbosity=0, interactive=False)
            call_command("grants")
    finally:
        made.stop()
