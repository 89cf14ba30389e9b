"""`make run`: everything, in order, until somebody stops it."""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from config.env import SANDBOX_DIR
from config.sandbox.environments import (
    STRIPE_ENDPOINT,
    TESTBANK_ENDPOINT,
    Ports,
    callback_secrets,
    callback_url,
    environments,
)
from config.sandbox.greeting import greeting
from config.sandbox.leash import die_with_parent
from config.sandbox.logins import close_other_databases, make_logins
from config.sandbox.parts import preparation, waves
from config.sandbox.prepare import WORLD_FILE
from config.sandbox.processes import named_ports
from config.sandbox.refusal import CannotRun
from config.sandbox.servers import DATABASE, Servers
from config.sandbox.state import State, is_free
from config.sandbox.supervisor import Interrupted, Supervisor, sweep

WEB: Final = ("admin", "api", "callbacks")
# Its presence says that the database is half made: the next run begins with an empty one.
UNFINISHED_FILE: Final = "unfinished"


def run(arguments: Sequence[str]) -> int:
    """Start the sandbox, say where it is, and stop it when asked to."""
    parser = argparse.ArgumentParser(prog="python -m config.sandbox run")
    parser.add_argument("--state", type=Path, help="the sandbox's folder; .sandbox or $SANDBOX")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="for tests: forgets all in a crash, ends with its parent",
    )
    given = parser.parse_args(arguments)
    if given.quick:
        die_with_parent()
    state = State(given.state or Path(os.environ.get("SANDBOX") or SANDBOX_DIR))
    _take(state)
    ports = _free_ports()
    servers = Servers(state=state, is_forgetful=given.quick)
    with Supervisor(state) as supervisor:
        _start(supervisor, servers=servers, ports=ports)
        try:
            supervisor.watch()
        except Interrupted:
            _say("stopping")
    return 0


def _take(state: State) -> None:
    """Make sure that this folder is nobody else's, living or dead."""
    if not state.try_lock():
        pid = (state.read_json("pids.json") or {}).get("ours", "?")
        raise CannotRun(
            f"A sandbox already runs in {state.root} (process {pid}): stop it with Ctrl-C,"
            " or have a second one elsewhere with SANDBOX=folder and ports of its own"
        )
    sweep(state)


def _free_ports() -> Ports:
    """Return the chosen ports; CannotRun names the first that cannot be had."""
    ports = Ports.chosen(os.environ)
    seen: set[int] = set()
    for name, port in ports.by_name.items():
        if port in seen or not is_free(port):
            variable = named_ports()[name][0]
            raise CannotRun(
                f"Port {port} for {name} is taken: choose another with `make run {variable}=…`"
            )
        seen.add(port)
    return ports


def _start(supervisor: Supervisor, *, servers: Servers, ports: Ports) -> None:
    """Start one wave after the other, then say where everything is."""
    state, began = supervisor.state, time.monotonic()
    _say("starting PostgreSQL and Redis")
    supervisor.start(servers.parts())
    _make_database(servers)
    held = environments(servers, ports=ports)  # the servers have their ports now
    state.write_json("environment.json", held)
    _say("migrating; the first time, making the demo world")
    supervisor.run(preparation(state))
    (state.root / UNFINISHED_FILE).unlink(missing_ok=True)
    _say("starting the processes")
    for wave in waves(state, ports=ports, environments=held):
        supervisor.start(wave)
    credentials = _credentials(servers, ports=ports)
    path = state.write_json("credentials.json", credentials)
    print(greeting(credentials, folder=state.root, seconds=time.monotonic() - began))
    print(f"READY {path}", flush=True)


def _make_database(servers: Servers) -> None:
    """Make the logins and the database, anew where the last attempt was not finished."""
    state = servers.state
    is_unfinished = (state.root / UNFINISHED_FILE).exists()
    is_known = state.read_json(WORLD_FILE) is not None
    is_made = make_logins(servers, is_new=is_unfinished and not is_known)
    if not is_known and not is_made:
        raise CannotRun(
            f"A database {DATABASE} is there already, and {state.root} does not know its sign-ins:"
            " `make reset` starts over; on a server of your own, drop it"
        )
    if not is_known:
        state.write(UNFINISHED_FILE, "")
    if not os.environ.get("DATABASE_URL"):
        close_other_databases(servers)


def _credentials(servers: Servers, *, ports: Ports) -> Mapping[str, Any]:
    """Return every address, sign-in and secret that scripts and tests need."""
    world = servers.state.read_json(WORLD_FILE)
    secrets = callback_secrets(servers.keys)
    return {
        "urls": {name: ports.web(name) for name in WEB},
        "staff": world["staff"],
        "partners": world["partners"],
        "providers": {
            endpoint.partition("/")[0]: {
                "endpoint": callback_url(endpoint, ports=ports),
                "secret": secrets[endpoint][0],
            }
            for endpoint in (STRIPE_ENDPOINT, TESTBANK_ENDPOINT)
        },
    }


def _say(what: str) -> None:
    """Tell whoever waits what they wait for."""
    print(f"{what} …", file=sys.stderr, flush=True)
