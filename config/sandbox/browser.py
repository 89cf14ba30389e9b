"""A headless Chromium at the staff's desk, for the browser tests and the screenshots.

Playwright brings no browser of its own here: it drives the one that the system has.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.sandbox.codes import STEP_SECONDS, code_of
from config.sandbox.refusal import CannotRun

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
INSTALL: Final = "apt-get install chromium"
WINDOW: Final = {"width": 1440, "height": 900}
WAIT_MS: Final = 10_000
THEMES: Final = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of staff and everything they know."""

    email: str
    password: str
    totp_secret: str
    role: str

    def code(self) -> str:
        """Return what the authenticator shows now."""
        return code_of(self.totp_secret)


def chromium() -> str | None:
    """Return where a Chromium is, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a headless Chromium for the length of the block; CannotRun where there is none."""
    found = chromium()
    if found is None:
        raise CannotRun(f"No Chromium is here: {INSTALL}")
    with sync_playwright() as driver:
        # A container's root has no user namespace to put Chromium's sandbox in.
        running = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield running
        finally:
            running.close()


def staff_of(credentials: Mapping[str, Any]) -> dict[str, Member]:
    """Return the staff of a sandbox by role."""
    return {each["role"]: Member(**each) for each in credentials["staff"]}


def sit_down(running: Browser, *, theme: str = "light") -> BrowserContext:
    """Open a window of its own, with its own session, in a theme."""
    desk = running.new_context(viewport=WINDOW, color_scheme=theme, locale="en-GB")  # type: ignore[arg-type]
    desk.set_default_timeout(WAIT_MS)
    # Unfold keeps the chosen theme as JSON; whoever chose none follows the system's.
    desk.add_init_script(f"localStorage.setItem('adminTheme', '\"{theme}\"')")
    return desk


def sign_in(page: Page, *, at: str, member: Member) -> None:
    """Come through the door: e-mail, password, code. A code that was used is waited out."""
    page.goto(f"{at}/")
    page.get_by_label("Email").fill(member.email)
    page.get_by_label("Password").fill(member.password)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    _give_code(page, member=member)
    page.wait_for_url("**/admin/**")


def _give_code(page: Page, *, member: Member) -> None:
    """Type the code of the moment; once more with the next one where it was used before."""
    for _ in range(2):
        page.get_by_label("Code").fill(member.code())
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
        if "/2fa/authenticate/" not in page.url:
            return
        time.sleep(STEP_SECONDS - time.time() % STEP_SECONDS)
