"""The stage itself: real logins, real threads, a clean floor after real commits."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread

import pytest
from django.db import connection
from django.db.utils import ProgrammingError

from tests.network import NetworkIsOff

AsRole = Callable[[str], AbstractContextManager[None]]


def current_login() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_test_runs_as_its_folders_login() -> None:
    assert current_login() == "cs_admin"


@pytest.mark.django_db
@pytest.mark.role("api")
def test_a_marked_test_runs_as_that_login() -> None:
    assert current_login() == "cs_api"


@pytest.mark.django_db
def test_a_runtime_login_makes_no_table() -> None:
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id integer)")


@pytest.mark.django_db(transaction=True)
def test_every_thread_enters_as_the_same_login(as_role: AsRole) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(current_login())
        connection.close()

    with as_role("worker"):
        threads = [Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == ["cs_worker"] * 4
    assert current_login() == "cs_admin"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_commits_the_next_does_not_see(as_role: AsRole, turn: int) -> None:
    with as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (turn integer)")
        cursor.execute("INSERT INTO left_behind VALUES (%s)", [turn])
        cursor.execute("SELECT turn FROM left_behind")
        assert cursor.fetchall() == [(turn,)]


def test_nobody_outside_is_reached() -> None:
    with pytest.raises(NetworkIsOff):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    with pytest.raises(NetworkIsOff):
        socket.getaddrinfo("example.com", 443)
