"""What a machine can tell of whether everybody can use the pages."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.roles import Role
from tests.browser.conftest import House

OK = 200
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
    "transactions/journalproposal/new",
    "transactions/suspenseposting/",
    "transactions/registeredpayee/",
    "transactions/registeredpayee/new",
    "transactions/transfer/new-payout",
)
FORMS = re.compile(r"/new(-payout)?$")


@pytest.mark.parametrize("path", PAGES)
def test_pages_break_no_rule(path: str, house: House, desk: Callable[[Role], Page]) -> None:
    page = desk(Role.FINANCE_OPERATOR if FORMS.search(path) else Role.COMPLIANCE_OFFICER)
    answer = page.goto(f"{house.url}/admin/{path}")
    assert answer is not None
    assert answer.status == OK
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    broken = {each["id"]: each["nodes"][0]["html"] for each in found}
    assert broken.keys() <= BASELINE.keys(), broken
