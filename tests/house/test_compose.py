"""docker-compose.yml runs the same processes as the sandbox, each with its own things only.

No container engine is needed: the file is read and compared. What is not shown is that it runs.
"""

import re
import subprocess
import sys
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.apps import AppConfig, apps

from config.env import BASE_DIR, HELD
from config.sandbox.processes import BY_NAME, PROCESSES
from config.sandbox.servers import LOGINS

COMPOSE = BASE_DIR / "docker-compose.yml"
SERVED = [process.name for process in PROCESSES if not process.is_double]
MIGRATE = "config.settings.migrate"
AROUND = {"postgres", "redis", "roles", "migrate"}
PASSWORD = re.compile(r"\$\{CS_(\w+)_PASSWORD:\?\}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_file_is_what_compose_accepts() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_process_is_a_service_and_no_double_is(services: dict[str, Any]) -> None:
    assert set(services) == AROUND | set(SERVED)


@pytest.mark.parametrize("name", SERVED)
def test_a_service_runs_what_the_sandbox_runs(services: dict[str, Any], name: str) -> None:
    process = BY_NAME[name]
    command = process.command.format(host="0.0.0.0", port=process.port, state="/tmp")  # noqa: S104, S108
    assert services[name]["command"] == command
    assert services[name]["environment"]["DJANGO_SETTINGS_MODULE"] == process.settings
    ports = [f"127.0.0.1:{process.port}:{process.port}"] if process.port else []
    assert services[name].get("ports", []) == ports


@pytest.mark.parametrize("name", [*SERVED, "migrate"])
def test_a_service_holds_its_own_variables_only(services: dict[str, Any], name: str) -> None:
    assert set(services[name]["environment"]) == {"DJANGO_SETTINGS_MODULE", *HELD[name]}


@pytest.mark.parametrize("name", [*SERVED, "migrate"])
def test_a_service_enters_as_its_own_login(services: dict[str, Any], name: str) -> None:
    login = BY_NAME[name].login if name in BY_NAME else "cs_migrator"
    at = urlsplit(services[name]["environment"]["DATABASE_URL"].replace(":?}", "}"))
    assert at.username == login
    assert at.password == f"${{{str(login).upper()}_PASSWORD}}"
    others = set(PASSWORD.findall(str(services[name]))) - {str(login).removeprefix("cs_").upper()}
    assert others == set()


def test_no_process_knows_the_administrator(services: dict[str, Any]) -> None:
    knowing = {name for name, service in services.items() if "POSTGRES_PASSWORD" in str(service)}
    assert knowing == {"postgres", "roles"}


def test_every_login_gets_its_password(services: dict[str, Any]) -> None:
    given = re.findall(
        r"-c password\.(\w+)=\$\{(\w+)_PASSWORD:\?\}",
        services["roles"]["environment"]["PGOPTIONS"],
    )
    assert given == [(login, login.upper()) for login in LOGINS]


@pytest.mark.parametrize("name", SERVED)
def test_a_service_waits_for_the_migration(services: dict[str, Any], name: str) -> None:
    assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("name", [name for name in SERVED if BY_NAME[name].port])
def test_a_web_service_is_asked_whether_it_is_ready(services: dict[str, Any], name: str) -> None:
    asked = ["CMD", "python", "-m", "config.probe", str(BY_NAME[name].port)]
    assert services[name]["healthcheck"]["test"] == asked


def test_the_image_is_not_root_and_installs_by_hash() -> None:
    text = (BASE_DIR / "Dockerfile").read_text()
    assert re.search(r"^USER (?!0|root)\w+$", text, re.MULTILINE)
    assert "--require-hashes -r /run.txt" in text


def test_the_migration_job_knows_every_table() -> None:
    named = {AppConfig.create(entry).name for entry in import_module(MIGRATE).INSTALLED_APPS}
    assert {config.name for config in apps.get_app_configs() if config.models} <= named
