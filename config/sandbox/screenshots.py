"""Pictures of the pages, light and dark, taken from a running sandbox for the documents."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from accounts.roles import Role
from config.env import BASE_DIR, SANDBOX_DIR
from config.sandbox.browser import THEMES, browser, sign_in, sit_down, staff_of
from config.sandbox.refusal import CannotRun

FOLDER: Final = BASE_DIR / "docs" / "screenshots"
SITTER: Final = Role.COMPLIANCE_OFFICER
TRANSFERS: Final = "transactions/transfer/?state__exact=settled"
APPROVALS: Final = "accounts/approval/?state__exact=open"
DISPUTES: Final = "transactions/dispute/"
FIRST_ROW: Final = "#result_list tbody a"
HEIGHT_MAX: Final = 1600
PROVIDERS_NAME: Final = re.compile(r"\bd[pu]_\w+")


def take(_arguments: Sequence[str]) -> int:
    """Take every picture in both themes and say where they are."""
    credentials = _credentials()
    FOLDER.mkdir(parents=True, exist_ok=True)
    member = staff_of(credentials)[SITTER.value]
    at = str(credentials["urls"]["admin"])
    with browser() as running:
        for theme in THEMES:
            desk = sit_down(running, theme=theme)
            page = desk.new_page()
            sign_in(page, at=at, member=member)
            _take_all(page, at=f"{at}/admin", theme=theme)
            desk.close()
    return 0


def _take_all(page: Page, *, at: str, theme: str) -> None:
    for name, path in (
        ("home", ""),
        ("transfers", "transactions/transfer/"),
        ("inbox", "integrations/callback/"),
        ("audit", "audit/entry/?outcome__exact=done"),
    ):
        page.goto(f"{at}/{path}")
        _shoot(page, name=name, theme=theme)
    for name, path in (("transfer", TRANSFERS), ("approval", APPROVALS)):
        page.goto(f"{at}/{path}")
        page.locator(FIRST_ROW).first.click()
        _shoot(page, name=name, theme=theme)
    page.goto(f"{at}/trace/?id={_disputed(page, at=at)}")
    _shoot(page, name="trace", theme=theme)


def _disputed(page: Page, *, at: str) -> str:
    """Return the provider's name of the newest dispute."""
    page.goto(f"{at}/{DISPUTES}")
    page.locator(FIRST_ROW).first.click()
    page.wait_for_load_state("networkidle")
    found = PROVIDERS_NAME.search(page.locator("main").inner_text())
    if found is None:
        raise CannotRun("No dispute is there to show: `make demo` tells of some")
    return found[0]


def _shoot(page: Page, *, name: str, theme: str) -> None:
    """Take the whole page, or its upper part where it is long."""
    page.wait_for_load_state("networkidle")
    full = int(page.evaluate("document.documentElement.scrollHeight"))
    window = page.viewport_size or {"width": 0, "height": 0}
    height = min(max(full, window["height"]), HEIGHT_MAX)
    page.set_viewport_size({"width": window["width"], "height": height})
    path = FOLDER / f"{name}-{theme}.png"
    page.screenshot(path=path)
    page.set_viewport_size(window)
    print(path.relative_to(BASE_DIR))


def _credentials() -> Mapping[str, Any]:
    """Return the sign-ins of the sandbox that runs in this folder, or in $SANDBOX."""
    path = Path(os.environ.get("SANDBOX") or SANDBOX_DIR) / "credentials.json"
    if not path.exists():
        raise CannotRun("No sandbox runs here: start one with `make run`")
    credentials: Mapping[str, Any] = json.loads(path.read_text())
    return credentials
