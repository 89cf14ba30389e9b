"""The day at the desk: asked by one, refused alone, signed by a second, settled, and traced."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect

from accounts.roles import Role
from tests.browser.conftest import House

Desk = Callable[[Role], Page]

SETTLE_SECONDS_MAX = 30
NODES_MIN = 8


def ask_for_payout(page: Page, *, at: str, reference: str) -> str:
    """Fill in the form of a payout and return the address of the transfer."""
    page.goto(f"{at}/admin/transactions/transfer/")
    page.get_by_role("link", name="New payout").click()
    page.get_by_label("Account", exact=True).select_option(label=first_account(page))
    page.get_by_label("Amount", exact=True).fill("2500.00")
    page.get_by_label("Payee", exact=True).select_option(label=first_payee(page))
    page.get_by_label("Reference", exact=True).fill(reference)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/transactions/transfer/[0-9a-f-]{36}/"))
    return page.url


def first_account(page: Page) -> str:
    """Return the first account in euro that is offered."""
    offered = page.get_by_label("Account", exact=True).locator("option").all_inner_texts()
    return next(each for each in offered if "Operating EUR" in each)


def first_payee(page: Page) -> str:
    """Return the first registered payee of the account's partner that is offered."""
    offered = page.get_by_label("Payee", exact=True).locator("option").all_inner_texts()
    whose = first_account(page).partition(":")[0]
    return next(each for each in offered if each.startswith(whose))


def newest_approval(page: Page, *, at: str) -> str:
    """Open the newest request that waits and return its address."""
    page.goto(f"{at}/admin/accounts/approval/?state__exact=open")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_url(re.compile(r"/accounts/approval/[0-9a-f-]{36}/"))
    return page.url.partition("?")[0].partition("change/")[0]


def test_a_payout_is_asked_for_signed_by_a_second_person_and_settles(
    house: House, desk: Desk
) -> None:
    reference = f"Order {uuid4().hex[:8]}"
    finance, compliance = desk(Role.FINANCE_OPERATOR), desk(Role.COMPLIANCE_OFFICER)
    transfer = ask_for_payout(finance, at=house.url, reference=reference)
    expect(finance.locator("main")).to_contain_text("Waiting for a second person")

    approval = newest_approval(compliance, at=house.url)
    refused = finance.goto(f"{approval}approve")
    assert refused is not None
    assert refused.status == 403
    finance.goto(approval)
    expect(finance.get_by_role("link", name=re.compile(r"(^|\s)Approve$"))).to_have_count(0)

    expect(compliance.locator("main")).to_contain_text("2,500.00 EUR")
    compliance.goto(f"{approval}approve")
    compliance.get_by_label("Why").fill("Known payee, usual amount.")
    compliance.get_by_role("button", name="Approve").click()
    expect(compliance.locator("main")).to_contain_text("Approved")

    wait_until_settled(finance, transfer)
    finance.goto(f"{house.url}/admin/trace/?id={reference}")
    words = finance.locator(".cs-words")
    for said in ("Transfer requested", "Approval approved", "Testbank: pay", "Transfer settled"):
        expect(words).to_contain_text(said)


def wait_until_settled(page: Page, transfer: str) -> None:
    """Look at the transfer until the Test Bank has paid it."""
    until = time.monotonic() + SETTLE_SECONDS_MAX
    while time.monotonic() < until:
        page.goto(transfer)
        if "Transfer settled" in page.locator("main").inner_text():
            return
        time.sleep(0.5)
    raise AssertionError(page.locator("main").inner_text())


def test_the_trace_of_a_disputed_payment_is_a_picture_of_links(house: House, desk: Desk) -> None:
    page = desk(Role.COMPLIANCE_OFFICER)
    page.goto(f"{house.url}/admin/transactions/dispute/")
    page.locator("#result_list tbody a").first.click()
    named = re.search(r"\bd[pu]_\w+", page.locator("main").inner_text())
    assert named is not None
    page.goto(f"{house.url}/admin/trace/")
    page.get_by_label("Paste any id").fill(named[0])
    page.get_by_role("button", name="Trace").click()
    nodes = page.locator("a.cs-node")
    assert nodes.count() >= NODES_MIN
    assert all(node.get_attribute("href") for node in nodes.all())
    nodes.nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/admin/(audit|transactions|integrations)/|#moment-"))


def test_a_support_agent_traces_nothing_of_other_portfolios(house: House, desk: Desk) -> None:
    page, colleague = desk(Role.SUPPORT_AGENT), desk(Role.COMPLIANCE_OFFICER)
    colleague.goto(f"{house.url}/admin/integrations/callback/")
    colleague.locator("#result_list tbody a").first.click()
    key = re.search(r"[0-9a-f-]{36}", colleague.url)
    assert key is not None
    page.goto(f"{house.url}/admin/trace/?id={key[0]}")
    expect(page.locator("main")).to_contain_text("Nothing by that name")
