"""What transfers cost, and money into another currency: asked at one desk, signed at another."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.roles import Role
from tests.browser.conftest import House
from tests.browser.test_finance import approve, read_until

Desk = Callable[[Role], Page]


def test_a_fee_is_proposed_with_an_example_signed_and_in_force(house: House, desk: Desk) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/feerule/")
    page.get_by_role("link", name="New fee").click()
    page.get_by_label("Partner").select_option(label="Acme Pay")
    page.get_by_label("For").select_option(label="Payout")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Flat part").fill("0.25")
    page.get_by_label("Basis points").fill("29")
    page.get_by_label("Minimum").fill("0.50")
    page.get_by_label("Cap").fill("0.10")
    page.get_by_label("Why").fill("Contract of 1 March, §4")
    page.get_by_role("button", name="Ask for this fee").click()
    expect(page.get_by_text("The cap is below the minimum.")).to_be_visible()
    page.get_by_label("Cap").fill("20")
    page.get_by_role("button", name="Ask for this fee").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it")
    expect(page.locator("main")).to_contain_text("100.54 EUR")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "In force.")
    expect(page.get_by_role("link", name=re.compile("Propose another version"))).to_be_visible()


def test_money_is_changed_at_the_quoted_rate_once_two_agree(house: House, desk: Desk) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/conversion/")
    page.get_by_role("link", name="New conversion").click()
    page.get_by_label("From account").fill("acme-pay-01-eur")
    page.get_by_label("To account").fill("acme-pay-03-jpy")
    page.get_by_label("Leaves").fill("100.00")
    page.get_by_label("Arrives").fill("16000")
    page.get_by_label("Quoted rate").fill("163.25")
    page.get_by_label("Why").fill("Asked for by the partner")
    page.get_by_label("Evidence").fill("FX-17")
    page.get_by_role("button", name="Ask for this conversion").click()
    expect(page.get_by_text("At this rate 100.00 EUR is 16,325 JPY.")).to_be_visible()
    page.get_by_label("Arrives").fill("16325")
    page.get_by_role("button", name="Ask for this conversion").click()
    expect(page.locator("main")).to_contain_text("A second person must approve it")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    read_until(page, "Approved and posted")
