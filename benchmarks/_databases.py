"""Databases beside ours: one for each peer, and clones of ours that may be filled and thrown."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connections
from psycopg import sql

from config.settings.base import POOL_SECONDS_MAX

GROWN: Final = "bench_grown"  # the clone with a long past: made once a run
LOGINS: Final = ("cs_api", "cs_callbacks", "cs_worker")


def make_database(name: str, *, template: str = "template0") -> str:
    """Make an empty database, or a clone, anew; return the migrator's address of it."""
    connections.close_all()
    with psycopg.connect(migrator_url(), autocommit=True) as server:
        server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))
        server.execute(_named("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template))
        if template != "template0":
            server.execute(_named(f"GRANT CONNECT ON DATABASE {{}} TO {', '.join(LOGINS)}", name))
    return migrator_url(database=name)


def drop_database(name: str) -> None:
    """Throw a database away; one that is gone stays gone."""
    connections.close_all()
    with psycopg.connect(migrator_url(), autocommit=True) as server:
        server.execute(_named("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


@contextmanager
def borrowed(name: str) -> Iterator[str]:
    """Offer an empty database for a while, by its address."""
    try:
        yield make_database(name)
    finally:
        drop_database(name)


def migrator_url(*, database: str = "") -> str:
    """Return the migrator's address of our database, or of another."""
    return _at(os.environ["DATABASE_URL"], database=database)


def login_url(login: str) -> str:
    """Return a runtime login's address of our database."""
    at = urlsplit(migrator_url())
    place = f"{login}:{_password(login)}@{at.hostname}:{at.port}"
    return urlunsplit((at.scheme, place, at.path, "", ""))


def our_database() -> str:
    """Return our database's name."""
    return urlsplit(migrator_url()).path.lstrip("/")


def work_as(login: str, *, database: str = "") -> None:
    """Connect as another login, to our database or another, from now on."""
    connections.close_all()
    at = connections["default"].settings_dict
    at.update(USER=login, PASSWORD=_password(login), NAME=database or our_database())


def share_connections(most: int) -> None:
    """Let the threads of a process share so many connections, as those of a web process do."""
    connections.close_all()
    options = connections["default"].settings_dict["OPTIONS"]
    options["pool"] = {"min_size": most, "max_size": most, "timeout": POOL_SECONDS_MAX}


def _password(login: str) -> str:
    return str(json.loads(os.environ["LOGINS"])[login])


def _at(address: str, *, database: str) -> str:
    at = urlsplit(address)
    return urlunsplit((at.scheme, at.netloc, f"/{database}" if database else at.path, "", ""))


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
