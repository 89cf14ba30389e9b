"""The suite, the migrations check and the benchmarks, on servers that live as long as they run."""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from config.env import BASE_DIR
from config.sandbox.environments import Ports, environments
from config.sandbox.foreground import run_python
from config.sandbox.logins import let_migrator_make_databases, make_logins
from config.sandbox.memory import make_tablespace, room_in_memory
from config.sandbox.refusal import CannotRun
from config.sandbox.servers import Servers
from config.sandbox.state import first_unlocked
from config.sandbox.supervisor import Supervisor

OUR_APPS: Final = ("audit", "accounts", "transactions", "integrations")
SAMPLES: Final = BASE_DIR.parent / "shared" / "data"
NUMBERED: Final = re.compile(r"^def test_t(\d\d)_", re.MULTILINE)
MIGRATE: Final = (("migrate", "-v0"), ("grants",))
# How many share the whole suite, each on servers of its own: one a core of the machine that its
# time is promised for. What is named runs in one process, for it is soon done.
WORKERS: Final = 2
ASKED_FOR: Final = re.compile(r"(?:^| )(?:-n|--numprocesses)[ =]?(\d+)")
# Who reads what a test prints, or talks to it, needs it in this terminal.
AT_THE_TERMINAL: Final = re.compile(r"-[lqvx]*s|--capture=no|--pdb|--trace")


@contextmanager
def serving(*, is_forgetful: bool = True) -> Iterator[tuple[Servers, dict[str, str]]]:
    """Run both servers and yield them with the environment that config.settings.test wants."""
    state = first_unlocked(BASE_DIR / (".test" if is_forgetful else ".test/durable"))
    servers = Servers(state=state, is_forgetful=is_forgetful)
    with room_in_memory(state) as folder, Supervisor(state) as supervisor:
        supervisor.start(servers.parts())
        make_logins(servers)
        let_migrator_make_databases(servers)
        if is_forgetful and not os.environ.get("DATABASE_URL"):
            make_tablespace(servers, folder=folder)
        yield servers, _environment(servers)


def run_suite(arguments: Sequence[str]) -> int:
    """Run pytest with `arguments` and return its status."""
    workers = workers_for(arguments)
    with ExitStack() as running:
        places = [running.enter_context(serving())[0] for _ in range(max(workers, 1))]
        held = {f"gw{number}": _held(servers) for number, servers in enumerate(places)}
        environment = _environment(places[0]) | {"HELD_BY_WORKER": json.dumps(held)}
        words = ("-m", "pytest", *arguments, f"--numprocesses={workers}")
        return run_python(*words, environment=environment)


def workers_for(arguments: Sequence[str]) -> int:
    """Return how many share the work: what is asked for with -n, else 0 where one will do.

    On somebody's own servers it is one: a transaction anywhere in a cluster holds back what the
    feeds of all its databases may tell.
    """
    if asked := ASKED_FOR.search(" ".join(arguments)):
        return int(asked[1])
    are_given = any(os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL"))
    return 0 if are_given or any(map(_is_small, arguments)) else WORKERS


def run_full_form(arguments: Sequence[str]) -> int:
    """Run one test's full form, such as T09's, or its only one; without a name, list them."""
    known = _numbers()
    wanted = arguments[0].upper() if arguments else ""
    if wanted not in known:
        raise CannotRun(f"make prove T=…  where … is one of {' '.join(sorted(known)) or '(none)'}")
    with serving() as (_, environment):
        chosen = (
            "-m",
            "full or not full",
            "-k",
            f"test_{wanted.lower()}_",
            "-v",
            "-s",
            *arguments[1:],
        )
        return run_python("-m", "pytest", *chosen, environment=environment)


def check_migrations() -> int:
    """Return 0 if no model waits for a migration and all of them run on an empty database."""
    with serving() as (servers, environment):
        _enter_empty_database("migrations_check", servers=servers, environment=environment)
        check = ("makemigrations", "--check", "--dry-run", *OUR_APPS)
        return _manage(check, *MIGRATE, environment=environment)


def run_benchmarks(arguments: Sequence[str]) -> int:
    """Run the benchmarks of these names, all without one, on a server that keeps its word."""
    with serving(is_forgetful=False) as (servers, environment):
        _enter_empty_database("bench", servers=servers, environment=environment)
        if status := _manage(*MIGRATE, environment=environment):
            return status
        return run_python("-m", "benchmarks", *arguments, environment=environment)


def _enter_empty_database(name: str, *, servers: Servers, environment: dict[str, str]) -> None:
    """Make an empty database that every login may enter, and let the environment lead there."""
    make_logins(servers, database=name, is_new=True)
    environment["DATABASE_URL"] = servers.url("cs_migrator", database=name)


def _manage(*commands: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run management commands until one fails; return its status, or 0."""
    for words in commands:
        if status := run_python("manage.py", *words, environment=environment):
            return status
    return 0


def _is_small(word: str) -> bool:
    """Say whether a word of pytest's names files or tests, or wants this terminal."""
    names_some = (BASE_DIR / word.partition("::")[0]).exists()
    return names_some or AT_THE_TERMINAL.fullmatch(word) is not None


def _held(servers: Servers) -> dict[str, str]:
    """Return what config.settings.test wants to know of servers."""
    console = environments(servers, ports=Ports.chosen({}))["console"]
    return console | {"LOGINS": json.dumps(dict(servers.passwords))}


def _environment(servers: Servers) -> dict[str, str]:
    """Return our own environment, what the suite needs in the place of what it must not see."""
    samples = {"SAMPLES_DIR": str(SAMPLES)} if SAMPLES.is_dir() else {}
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "PYTHONPATH": os.pathsep.join([str(BASE_DIR), os.environ.get("PYTHONPATH", "")]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    return samples | dict(os.environ) | _held(servers) | ours


def _numbers() -> set[str]:
    """Return the numbers of the tests that are written, as T09."""
    written = (path.read_text() for path in (BASE_DIR / "tests").rglob("test_*.py"))
    return {f"T{number}" for text in written for number in NUMBERED.findall(text)}
