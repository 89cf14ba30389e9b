"""The stage that tests stand on: a cloned database, real logins, and no network.

A template database is migrated once and kept under the hash of everything that made it. Each run
works on a clone. Code under test runs as the login of the process it belongs to; only making,
migrating and throwing away is done as the migrator.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from django.core.management import call_command, get_commands
from django.db import connections
from django.utils.timezone import now
from psycopg import sql

from config.env import BASE_DIR
from config.sandbox.memory import TABLESPACE

# Which login a test runs as, by its folder, where no @pytest.mark.role says so.
ROLE_BY_FOLDER = {
    "audit": "admin",
    "accounts": "admin",
    "transactions": "admin",
    "integrations": "worker",
}
ROLE_ELSEWHERE = "admin"
# What a process decides about requests, taken from its own settings file for tests of that role.
SETTINGS_BY_ROLE = {"api": "config.settings.api", "callbacks": "config.settings.callbacks"}
REQUEST_SETTINGS = ("ROOT_URLCONF", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "APPEND_SLASH")
TEMPLATE_LOCK = 7310
TURN_SECONDS = 0.2
MADE_BY = ("*/migrations/*.py", "*/sql/*.sql", "deploy/*", "config/grants.py")


def template_name() -> str:
    """Name the template after all that goes into it, and the month: partitions go by month."""
    digest = hashlib.sha256(now().strftime("%Y-%m").encode())
    for path in sorted({path for pattern in MADE_BY for path in BASE_DIR.glob(pattern)}):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in sorted(f"{found.name} {found.version}" for found in distributions()):
        digest.update(name.encode())
    return f"template_{digest.hexdigest()[:16]}"


def role_of(item: pytest.Item) -> str:
    """Return the short name of the login that a test runs as."""
    if mark := item.get_closest_marker("role"):
        return str(mark.args[0])
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return ROLE_BY_FOLDER.get(folder, ROLE_ELSEWHERE)


@dataclass
class Stage:
    """The clone that this run works on, and the logins that may enter it."""

    address: str = field(default_factory=lambda: os.environ["DATABASE_URL"])
    passwords: dict[str, str] = field(
        default_factory=lambda: json.loads(os.environ.get("LOGINS", "{}"))
    )
    name: str = field(
        default_factory=lambda: f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_a"
    )
    template: str = field(default_factory=template_name)
    _spare: Thread = field(init=False, repr=False)

    def build(self) -> None:
        """Make the template unless it is there, and the clone."""
        if not self.passwords:
            pytest.exit("the suite needs its servers: run it with `make test ARGS=…`", 4)
        first = self._login()
        with self._in_turn() as server:
            self._make_template(server)
            self._clone(server, name=self.name)
        self._make_spare(self._other())
        self.enter(first)

    def reclone(self) -> None:
        """Move on to a fresh clone, and let the next one be made while the next test runs."""
        connections.close_all()
        used = self.name
        self._spare.join()
        self.name = self._other()
        connections["default"].settings_dict["NAME"] = self.name
        self._make_spare(used)

    def drop(self) -> None:
        """Throw both clones away."""
        connections.close_all()
        self._spare.join()
        with self.migrator() as server:
            for name in (self.name, self._other()):
                server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))

    def migrator(self) -> psycopg.Connection:
        """Open the migrator's own connection, beside the database under test."""
        return psycopg.connect(self.address, autocommit=True)

    def enter(self, role: str, *, database: str | None = None) -> None:
        """Connect as another login from now on, in every thread."""
        login, at = f"cs_{role}", connections["default"].settings_dict
        wanted = {
            "USER": login,
            "PASSWORD": self.passwords[login],
            "NAME": database or self.name,
        }
        if any(at[key] != value for key, value in wanted.items()):
            if connections["default"].connection is not None:
                connections["default"].close()
            at.update(wanted)  # one dict for all threads

    @contextmanager
    def as_role(self, role: str) -> Iterator[None]:
        """Work as another login for a while; only where the test really commits."""
        if connections["default"].in_atomic_block:
            pytest.fail("another login sees nothing uncommitted: use django_db(transaction=True)")
        before = self._login()
        self.enter(role)
        try:
            yield
        finally:
            self.enter(before)

    def _login(self) -> str:
        """Return the short name of the login that we work as."""
        return str(connections["default"].settings_dict["USER"]).removeprefix("cs_")

    @contextmanager
    def _in_turn(self) -> Iterator[psycopg.Connection]:
        """Connect as the only one who makes a template.

        Who waits is not connected: what is cloned may have no other visitor.
        """
        while True:
            with self.migrator() as server:
                taken = server.execute("SELECT pg_try_advisory_lock(%s)", [TEMPLATE_LOCK])
                if taken.fetchone() == (True,):
                    yield server
                    return
            time.sleep(TURN_SECONDS)

    def _make_template(self, server: psycopg.Connection) -> None:
        """Migrate and grant under another name first, so that a crash leaves no half template."""
        known = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%'"
        ).fetchall()
        if (self.template,) in known:
            return
        for (old,) in known:
            server.execute(_named("DROP DATABASE {} WITH (FORCE)", old))
        draft = f"{self.template}_draft"
        server.execute(_named("CREATE DATABASE {} TEMPLATE {}", draft, _database(self.address)))
        self.enter("migrator", database=draft)
        call_command("migrate", verbosity=0, interactive=False)
        if "grants" in get_commands():
            call_command("grants")
        connections.close_all()
        server.execute(_named("ALTER DATABASE {} RENAME TO {}", draft, self.template))

    def _other(self) -> str:
        """Return the name of the clone that is not in use."""
        return self.name[:-1] + ("b" if self.name.endswith("a") else "a")

    def _make_spare(self, name: str) -> None:
        """Make a clone beside the test that runs; whoever is still in the old one is put out."""

        def make() -> None:
            with self.migrator() as server:
                self._clone(server, name=name)

        self._spare = Thread(target=make, name="spare clone")
        self._spare.start()

    def _clone(self, server: psycopg.Connection, *, name: str) -> None:
        """Make a clone anew and let the logins in."""
        server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))
        make = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
        spaces = server.execute("SELECT 1 FROM pg_tablespace WHERE spcname = %s", [TABLESPACE])
        if spaces.fetchone():
            make += f" TABLESPACE {TABLESPACE}"
        server.execute(_named(make, name, self.template))
        server.execute(_named("REVOKE ALL ON DATABASE {} FROM PUBLIC", name))
        logins = ", ".join(sorted(self.passwords))
        server.execute(_named(f"GRANT CONNECT ON DATABASE {{}} TO {logins}", name))


def _named(statement: str, *names: str) -> sql.Composed:
    """Fill identifiers into a statement."""
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _database(address: str) -> str:
    """Return the database's name in an address."""
    return address.rpartition("/")[2]
