"""From the list of processes to parts that the supervisor can run here."""

import http.client
import shlex
import socket
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from config.sandbox.environments import Ports
from config.sandbox.part import Part, at_once
from config.sandbox.processes import BY_NAME, HEALTH_PATH, WAVES, WORKER_READY, Process
from config.sandbox.state import LOOPBACK, State

ANSWER_SECONDS: Final = 2.0


def waves(
    state: State, *, ports: Ports, environments: Mapping[str, Mapping[str, str]]
) -> list[list[Part]]:
    """Return every process in the order in which they start."""
    return [
        [_part(BY_NAME[name], state=state, ports=ports, held=environments[name]) for name in wave]
        for wave in WAVES
    ]


def preparation(state: State) -> Part:
    """Return the job that migrates, grants and makes the demo world."""
    return Part(
        name="prepare",
        command=[sys.executable, "-m", "config.sandbox.prepare"],
        environment={
            "DJANGO_SETTINGS_MODULE": "config.settings.sandbox",
            "SANDBOX": str(state.root),
            "PYTHONUNBUFFERED": "1",
        },
    )


def _part(process: Process, *, state: State, ports: Ports, held: Mapping[str, str]) -> Part:
    """Fill in where a process runs and what it holds."""
    port = ports.by_name.get(process.name)
    words = shlex.split(process.command.format(host=LOOPBACK, port=port, state=state.root))
    settings = {"DJANGO_SETTINGS_MODULE": process.settings} if process.settings else {}
    return Part(
        name=process.name,
        command=[sys.executable if word == "python" else word for word in words],
        environment={**held, **settings, "PYTHONUNBUFFERED": "1"},
        is_ready=lambda _: _is_ready(process, state=state, port=port),
        port=port,
    )


def _is_ready(process: Process, *, state: State, port: int | None) -> bool:
    """Ask a process in its own way whether it can work."""
    if process.name == "worker":
        return WORKER_READY in (state.root / "logs" / "worker.log").read_bytes()
    if port is None:
        return at_once(0)
    return _listens(port) if process.is_double else _is_healthy(port)


def _is_healthy(port: int) -> bool:
    """Say whether a web process has all that it needs."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", HEALTH_PATH)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(port: int) -> bool:
    """Say whether anybody answers at a port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=ANSWER_SECONDS).close()
    except OSError:
        return False
    return True
