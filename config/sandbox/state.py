"""One folder that holds everything a sandbox or a test run leaves on disk."""

import fcntl
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any, Final

from config.sandbox.refusal import CannotRun

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
SECRET_BYTES: Final = 32
LOOPBACK: Final = "127.0.0.1"


class State:
    """A private folder, its lock, its one secret and its remembered ports."""

    def __init__(self, root: Path) -> None:
        """Make the folder, private, if it is not there."""
        self.root = root.absolute()
        self._lock: int | None = None
        self.folder(".")

    def folder(self, name: str) -> Path:
        """Return a private folder inside, made if it is missing."""
        path = self.root / name
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        return path

    def write(self, name: str, text: str) -> Path:
        """Replace a private file as a whole, so that no reader ever sees half of it."""
        path, fresh = self.root / name, self.root / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w"
        ) as f:
            f.write(text)
        return fresh.replace(path)

    def read_json(self, name: str) -> Any:
        """Return what a JSON file says, None where there is no such file."""
        try:
            return json.loads((self.root / name).read_text())
        except FileNotFoundError:
            return None

    def write_json(self, name: str, content: object) -> Path:
        """Write a private JSON file for people and scripts to read."""
        return self.write(name, json.dumps(content, indent=2) + "\n")

    def secret(self) -> bytes:
        """Return the folder's own secret: every key and password here is derived from it."""
        path = self.root / "secret"
        if not path.exists():
            self.write("secret", secrets.token_hex(SECRET_BYTES))
        return bytes.fromhex(path.read_text())

    def remembered_port(self, name: str) -> int:
        """Return the port `name` had last time if it is still free, another free one otherwise."""
        ports = self.remembered_ports()
        if name not in ports or not is_free(ports[name]):
            with socket.create_server((LOOPBACK, 0)) as probe:
                ports[name] = probe.getsockname()[1]
            self.write_json("ports.json", ports)
        return ports[name]

    def remembered_ports(self) -> dict[str, int]:
        """Return the ports that servers here were given."""
        ports: dict[str, int] = self.read_json("ports.json") or {}
        return ports

    def try_lock(self) -> bool:
        """Hold the folder for as long as this process lives; False if another one holds it."""
        self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            return False
        return True


def first_unlocked(parent: Path) -> State:
    """Return a locked state of its own below `parent`: several test runs may go on at once."""
    for slot in range(1, 100):
        state = State(parent / str(slot))
        if state.try_lock():
            return state
    raise CannotRun(f"{parent}: a hundred runs at once are too many")


def is_free(port: int) -> bool:
    """Say whether nobody listens on a port of this machine."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True
