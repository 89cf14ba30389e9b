"""A sandbox of its own with everything running, and a real headless Chromium at its desks."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.frontdesk.second_factor import STEP_UP_SECONDS_MAX
from accounts.roles import Role
from config.env import BASE_DIR
from config.sandbox.browser import INSTALL, Member, browser, chromium, sign_in, sit_down, staff_of
from config.sandbox.processes import named_ports
from config.sandbox.stories import build
from tests.ports import free_port

STOP_SECONDS_MAX = 30
STORIES_SECONDS_MAX = 120
SEED = "browser"
LATELY_SECONDS = STEP_UP_SECONDS_MAX / 2
# What a sandbox reads of our environment would lead it to the servers of the test run.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class House:
    """One running sandbox, and who sits at its desks.

    Signing in takes a code, so nobody does it for each test; for grave acts it is good for five
    minutes.
    """

    credentials: dict[str, Any]
    running: Browser
    state: Path
    staff: dict[str, Member] = field(init=False)
    desks: dict[Role, BrowserContext] = field(default_factory=dict)
    signed_in: dict[Role, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know who works here."""
        self.staff = staff_of(self.credentials)

    @property
    def url(self) -> str:
        """Where the staff sign in."""
        return str(self.credentials["urls"]["admin"])

    def desk(self, role: Role) -> Page:
        """Return a fresh page of somebody with this role, who signed in lately."""
        if time.monotonic() - self.signed_in.get(role, -math.inf) > LATELY_SECONDS:
            self.signed_in[role] = time.monotonic()
            self.desks[role] = sit_down(self.running)
            page = self.desks[role].new_page()
            sign_in(page, at=self.url, member=self.staff[role.value])
            page.close()
        return self.desks[role].new_page()

    def tell_stories(self) -> str:
        """Tell the demo's stories; return the charge of the one that has it all."""
        subprocess.run(
            [sys.executable, "-m", "config.sandbox", "demo"],
            cwd=BASE_DIR,
            env=_inherited() | {"SANDBOX": str(self.state), "DEMO_SEED": SEED},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=STORIES_SECONDS_MAX,
        )
        told = build("shuffled_delivery", seed=SEED, account=None, now=timezone.now())
        (charge,) = told.ending.payments
        return charge


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start everything once; skip, saying how to get one, where no Chromium is."""
    if chromium() is None:
        pytest.skip(f"no Chromium is here: {INSTALL}")
    # Playwright leaves its event loop running in this thread, which Django takes for async code.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        state = tmp_path_factory.mktemp("house")
        with _sandbox(state) as credentials, browser() as running:
            yield House(credentials=credentials, running=running, state=state)
            check = [sys.executable, "manage.py", "ledger_check"]
            told = {"SANDBOX": str(state), "PATH": os.environ["PATH"]}
            books = subprocess.run(check, cwd=BASE_DIR, env=told, capture_output=True, check=False)
            assert books.returncode == 0, books.stdout.decode()


@contextmanager
def _sandbox(state: Path) -> Iterator[dict[str, Any]]:
    """Run a whole sandbox on free ports; it ends with us, whatever happens."""
    ports = {variable: str(free_port()) for variable, _ in named_ports().values()}
    words = ["-m", "config.sandbox", "run", "--state", str(state), "--quick"]
    with TemporaryFile("w+") as said:
        running = subprocess.Popen(
            [sys.executable, *words],
            cwd=BASE_DIR,
            env=_inherited() | ports,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            yield _ready(running, said=said)
        finally:
            running.terminate()
            running.communicate(timeout=STOP_SECONDS_MAX)


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def _ready(running: subprocess.Popen[str], *, said: IO[str]) -> dict[str, Any]:
    """Wait for the sandbox's word that it runs, and read what it wrote down for scripts."""
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("READY "):
            credentials: dict[str, Any] = json.loads(Path(line.split()[1]).read_text())
            return credentials
    said.seek(0)
    raise RuntimeError(f"the sandbox did not start: {said.read()[-2000:]}")


@pytest.fixture
def desk(house: House) -> Iterator[Callable[[Role], Page]]:
    """Sit down at a role's desk; the pages are closed after the test."""
    opened: list[Page] = []

    def sit(role: Role) -> Page:
        opened.append(house.desk(role))
        return opened[-1]

    yield sit
    for page in opened:
        page.close()
