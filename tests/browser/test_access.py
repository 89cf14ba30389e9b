"""What a machine can tell of whether everybody can use the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.roles import Role
from tests.browser.conftest import House

# Rules that Unfold's own pages break, which we do not mend by copying them.
BASELINE = {"landmark-unique": "the scrolling regions that its lists bring along share one name"}
PAGES = (
    "",
    "trace/",
    "trace/?id=stripe",
    "find/?q=nothing",
    "transactions/transfer/",
    "transactions/hold/",
    "accounts/approval/",
    "audit/entry/",
)


@pytest.mark.parametrize("path", PAGES)
def test_pages_break_no_rule(path: str, house: House, desk: Callable[[Role], Page]) -> None:
    page = desk(Role.COMPLIANCE_OFFICER)
    page.goto(f"{house.url}/admin/{path}")
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    broken = {each["id"]: each["nodes"][0]["html"] for each in found}
    assert broken.keys() <= BASELINE.keys(), broken
