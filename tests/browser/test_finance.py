"""Finance's day at the desk: a journal by hand, money that nobody expected, and a new payee."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.roles import Role
from config.sandbox.cast import iban
from tests.browser.conftest import House

Desk = Callable[[Role], Page]


def approve(page: Page, *, at: str) -> None:
    """Approve the newest request that waits."""
    page.goto(f"{at}/admin/accounts/approval/?state__exact=open")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name=re.compile(r"(^|\s)Approve$")).click()
    page.get_by_label("Why").fill("Looked at the evidence.")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text("done.")


def read_until(page: Page, said: str) -> None:
    """Look at the page until it says so: the clerk comes by within seconds."""
    for _ in range(40):
        if said in page.locator("main").inner_text():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.locator("main").inner_text())


def test_a_journal_is_written_previewed_signed_and_posted(house: House, desk: Desk) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/journalproposal/")
    page.get_by_role("link", name="New manual journal").click()
    page.get_by_role("link", name="Acme Pay").click()
    page.get_by_label("Account of line 1").fill("account:acme-pay-01-eur EUR")
    page.get_by_label("Amount of line 1").fill("-1250.00")
    expect(page.locator("#sums")).to_have_text("-1,250.00 EUR is left over")
    page.get_by_label("Account of line 2").fill("account:acme-pay-04-eur EUR")
    page.get_by_label("Amount of line 2").fill("1250.00")
    expect(page.locator("#sums")).to_have_text("0.00 EUR, balanced")
    page.get_by_label("Why").fill("Salary was booked on the wrong account")
    page.get_by_label("Evidence").fill("FIN-205")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New manual journal")).to_be_visible()
    expect(page.locator("main")).to_contain_text("After")
    page.get_by_role("button", name="Ask for this journal").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it.")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "Approved and posted")


def test_money_that_nobody_expected_is_given_to_its_owner(house: House, desk: Desk) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/suspenseposting/")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name=re.compile(r"(^|\s)Allocate$")).click()
    page.get_by_label("Account it was meant for").fill("nobody")
    page.get_by_label("Why").fill("The payer called")
    page.get_by_role("button", name="Ask for this allocation").click()
    expect(page.get_by_text("There is no account of this id or alias.")).to_be_visible()
    page.get_by_label("Account it was meant for").fill("acme-pay-04-eur")
    page.get_by_label("Amount").fill("12.00")
    page.get_by_label("Why").fill("The payer called")
    page.get_by_role("button", name="Ask for this allocation").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it.")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "Used")


def test_a_payee_is_registered_by_two_and_not_paid_before_it_has_cooled(
    house: House, desk: Desk
) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/registeredpayee/")
    page.get_by_role("link", name="New payee").click()
    page.get_by_label("Partner").select_option(label="Acme Pay")
    page.get_by_label("What we call it").fill("Example Power")
    page.get_by_label("Name of the holder").fill("Example Power and Light")
    page.get_by_label("IBAN").fill(iban(9500)[:-1] + "x")
    page.get_by_label("Why").fill("Their contract")
    page.get_by_role("button", name="Ask for this payee").click()
    expect(page.get_by_text("its check digits are wrong")).to_be_visible()
    page.get_by_label("IBAN").fill(iban(9500))
    page.get_by_role("button", name="Ask for this payee").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it.")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "nothing is paid to them until")
