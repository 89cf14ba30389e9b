"""The one list of processes: what runs, as whom, on which port. Compose is compared with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HEALTH_PATH: Final = "/health/ready"
WORKER_READY: Final = b" ready."  # what Celery says when it takes its first task

# `{…}` is filled in when the process is started.
GRANIAN: Final = (
    "python -m granian --interface wsgi --host {host} --port {port} --workers 1 --no-ws"
    " --blocking-threads 4 --workers-kill-timeout 5 config.wsgi:application"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process: its command, settings file and database login, and the port it listens on."""

    name: str
    command: str
    settings: str | None = None
    login: str | None = None
    port_variable: str | None = None
    port: int | None = None
    is_double: bool = False


def _web(name: str, *, port: int) -> Process:
    """Describe a web process: settings, login and port variable all follow from its name."""
    return Process(
        name=name,
        command=GRANIAN,
        settings=f"config.settings.{name}",
        login=f"cs_{name}",
        port_variable=f"{name.upper()}_PORT",
        port=port,
    )


def _celery(name: str, *, arguments: str) -> Process:
    """Describe a Celery process; workers and beat share the settings file and the login."""
    return Process(
        name=name,
        command=f"python -m celery -A config.celery {arguments}",
        settings="config.settings.worker",
        login="cs_worker",
    )


PROCESSES: Final = (
    _web("admin", port=8000),
    _web("api", port=8001),
    _web("callbacks", port=8002),
    _celery("worker", arguments="worker -c 2 --loglevel INFO"),
    _celery("beat", arguments="beat --loglevel INFO -s {state}/beat-schedule --pidfile="),
    Process(
        name="testbank",
        command="python -m config.sandbox.doubles.testbank",
        port_variable="TESTBANK_PORT",
        port=8010,
        is_double=True,
    ),
    Process(
        name="stripe",
        command="python -m config.sandbox.doubles.stripe",
        port_variable="STRIPE_PORT",
        port=8011,
        is_double=True,
    ),
)
BY_NAME: Final[Mapping[str, Process]] = {process.name: process for process in PROCESSES}
# Who waits for whom. The servers and the preparation of the database come before all of these.
WAVES: Final = (("testbank", "stripe"), ("admin", "api", "callbacks"), ("worker", "beat"))


def named_ports() -> Mapping[str, tuple[str, int]]:
    """Return, for each process that listens, the variable that sets its port and the default."""
    return {
        process.name: (process.port_variable, process.port)
        for process in PROCESSES
        if process.port_variable and process.port
    }
