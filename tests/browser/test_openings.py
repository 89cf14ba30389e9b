"""An account is asked for at finance's desk, signed at another, and there within seconds."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.roles import Role
from tests.browser.conftest import House
from tests.browser.test_finance import approve, read_until

Desk = Callable[[Role], Page]


def test_an_account_is_asked_for_signed_and_there(house: House, desk: Desk) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/accounts/account/")
    page.get_by_role("link", name="Open an account").click()
    page.get_by_label("Portfolio").select_option(index=1)
    page.get_by_label("Name").fill("Savings")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Alias").fill("acme-pay-01-eur")
    page.get_by_label("Why").fill("Contract of 1 March, §4")
    page.get_by_role("button", name="Ask for this account").click()
    expect(page.get_by_text("Another account has this alias.")).to_be_visible()
    page.get_by_label("Alias").fill("acme-pay-savings")
    page.get_by_role("button", name="Ask for this account").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it")
    expect(page.locator("main")).to_contain_text("acme-pay-savings")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "Approved and carried out.")
    page.get_by_role("link", name="Account", exact=True).click()
    for said in ("0.00 EUR", "Account opening requested", "Contract of 1 March, §4"):
        expect(page.locator("main")).to_contain_text(said)
