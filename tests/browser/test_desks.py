"""What single desks do: a wrong form, one's own request, a freeze, a portfolio, the palette."""

import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from accounts.roles import Role
from tests.browser.conftest import House

Desk = Callable[[Role], Page]

TRANSFERS = "/admin/transactions/transfer/"
ACCOUNTS = "/admin/accounts/account/"
FROZEN = "borealis-03-eur"


PAYEE = "Acme Pay: Northwind Foods (DE•• •••• 9003)"


def fill_payout(page: Page, *, at: str, reference: str, amount: str = "12.34") -> None:
    """Open the form of a payout and fill it in."""
    page.goto(at + TRANSFERS)
    page.get_by_role("link", name="New payout").click()
    page.get_by_label("Account", exact=True).select_option(label="Acme Pay: Operating EUR (EUR)")
    page.get_by_label("Amount", exact=True).fill(amount)
    page.get_by_label("Payee", exact=True).select_option(label=PAYEE)
    page.get_by_label("Reference", exact=True).fill(reference)


def send(page: Page) -> None:
    """Send the form of a payout."""
    page.get_by_role("button", name="Ask for this payout").click()


def offered(page: Page, name: str) -> Locator:
    """Return the act of this name in the page's head; its icon's name stands in front of it."""
    return page.get_by_role("link", name=re.compile(rf"(^|\s){name}$"))


def open_row(page: Page, *, at: str, query: str) -> None:
    """Open the one row that a search finds."""
    page.goto(f"{at}?q={query}")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    rows.locator("a").first.click()
    page.wait_for_load_state()


def test_whoever_proved_no_second_factor_sees_no_page(house: House) -> None:
    stranger = house.running.new_page()
    for path in (TRANSFERS, "/admin/trace/", "/admin/find/", "/admin/search/?s=x"):
        stranger.goto(house.url + path)
        assert "/accounts/login/" in stranger.url
    stranger.close()


def test_a_wrong_amount_is_said_beside_its_field_and_the_rest_is_kept(
    house: House, desk: Desk
) -> None:
    page, reference = desk(Role.FINANCE_OPERATOR), f"Order {uuid4().hex[:8]}"

    fill_payout(page, at=house.url, amount="12.345", reference=reference)
    send(page)
    expect(page.get_by_text("EUR has 2 decimals.")).to_be_visible()
    expect(page.get_by_label("Reference", exact=True)).to_have_value(reference)
    page.get_by_label("Amount", exact=True).fill("12.34")
    send(page)
    expect(page.get_by_text("A second person must approve it.")).to_be_visible()


def test_a_form_that_is_sent_twice_asks_once(house: House, desk: Desk) -> None:
    page, reference = desk(Role.FINANCE_OPERATOR), f"Order {uuid4().hex[:8]}"

    fill_payout(page, at=house.url, reference=reference)
    filled = page.locator("main form").evaluate("form => Object.fromEntries(new FormData(form))")
    for said in ("A second person must approve it.", "asked for already, and only once"):
        answer = page.request.post(page.url, form=filled, headers={"Origin": house.url})
        assert said in answer.text()
    page.goto(f"{house.url}{TRANSFERS}?q={reference}")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_whoever_asked_may_take_it_back_and_not_sign_it(house: House, desk: Desk) -> None:
    page, reference = desk(Role.FINANCE_OPERATOR), f"Order {uuid4().hex[:8]}"
    fill_payout(page, at=house.url, reference=reference)
    send(page)
    page.get_by_role("main").get_by_role("link", name="apr_").first.click()

    expect(offered(page, "Approve")).to_have_count(0)
    offered(page, "Withdraw").click()
    page.get_by_role("main").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("main")).to_contain_text("Withdrawn")


def test_an_account_is_frozen_in_two_clicks_and_the_timeline_says_why(
    house: House, desk: Desk
) -> None:
    page = desk(Role.COMPLIANCE_OFFICER)
    open_row(page, at=house.url + ACCOUNTS, query=FROZEN)
    offered(page, "Freeze").click()
    page.get_by_label("What it stops").select_option(label="Nothing may leave")
    page.get_by_label("Kind of reason").select_option(label="Order of a court")
    page.get_by_label("Legal reference").fill("AG Musterstadt 1 M 1/26")
    page.get_by_label("Why").fill("Attachment by court order")
    page.get_by_role("main").get_by_role("button", name="Freeze").click()

    main = page.get_by_role("main")
    expect(main).to_contain_text("Account frozen")
    expect(main).to_contain_text("Attachment by court order")
    expect(main).to_contain_text("To be confirmed by")


def test_support_sees_one_portfolio_and_nothing_else_exists(house: House, desk: Desk) -> None:
    auditor, support = desk(Role.AUDITOR), desk(Role.SUPPORT_AGENT)
    open_row(auditor, at=house.url + ACCOUNTS, query="acme-pay-01-eur")

    answer = support.goto(auditor.url)
    assert answer is not None
    assert answer.status == 404
    support.goto(house.url + ACCOUNTS)
    seen = support.locator("#result_list")
    expect(seen).to_contain_text("acme-pay")
    expect(seen).not_to_contain_text("borealis")


def test_the_palette_finds_a_transfer_by_its_reference(house: House, desk: Desk) -> None:
    page = desk(Role.COMPLIANCE_OFFICER)
    page.goto(f"{house.url}/admin/")
    page.keyboard.press("Control+k")
    page.locator("input[name=s]").last.press_sequentially("Order W-0040")
    found = page.locator("a", has_text="1,500.00 USD Order W-0040")
    expect(found).to_be_visible()
    found.click()
    page.wait_for_url("**/transactions/transfer/**")
