"""Finance uploads a file of transfers, sees what would come of it, and another lets it happen."""

import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.roles import Role
from tests.browser.conftest import House
from tests.browser.test_finance import approve

Desk = Callable[[Role], Page]
LIVE_MS = 20_000
HEAD = "source_account;destination_account;payee;amount;currency;reference;key"
ROWS = (
    "acme-pay-01-eur;acme-pay-04-eur;;12,50;EUR;November;WAGES-2026-11-01",
    "acme-pay-01-eur;;Northwind Foods;8,00;EUR;Order 17;WAGES-2026-11-02",
    "acme-pay-04-eur;acme-pay-01-eur;;99999999,00;EUR;Too much;WAGES-2026-11-03",
)


def file_of(folder: Path, *rows: str) -> Path:
    path = folder / "november.csv"
    path.write_text("\n".join([HEAD, *rows]))
    return path


def read_file(page: Page, path: Path) -> None:
    page.get_by_label("Partner").select_option(label="Acme Pay")
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Read this file").click()


def test_a_file_is_read_foreseen_asked_for_signed_and_carried_out(
    house: House, desk: Desk, tmp_path: Path
) -> None:
    page = desk(Role.FINANCE_OPERATOR)
    page.goto(f"{house.url}/admin/transactions/batchfile/")
    page.get_by_role("link", name="Upload a file").click()
    read_file(page, file_of(tmp_path, ROWS[0], ROWS[1].replace("8,00", "8,0")))
    expect(page.get_by_role("alert")).to_contain_text("Write it like 1250.00")
    assert_accessible(page)
    read_file(page, file_of(tmp_path, *ROWS))
    main = page.locator("main")
    expect(main).to_contain_text("2 transfers would be done and 1 refused")
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Ask for these transfers$")).click()
    page.get_by_label("If one transfer is refused").select_option(index=1)
    page.get_by_label("Why").fill("November's wages")
    page.get_by_role("button", name="Ask for these transfers").click()
    expect(main).to_contain_text("A second person must approve it.")
    approve(desk(Role.COMPLIANCE_OFFICER), at=house.url)
    page.reload()
    expect(main).to_contain_text("3 of 3", timeout=LIVE_MS)  # of itself
    page.get_by_role("link", name=re.compile("^bat_")).click()
    expect(main).to_contain_text("Carried out")
    with page.expect_download() as taken:
        page.get_by_role("link", name=re.compile("Download results$")).click()
        page.get_by_role("button", name="Download").click()
    *_, last = taken.value.path().read_text().splitlines()
    assert re.match("4,acc_.*limit_exceeded", last)


def assert_accessible(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, context="main")
    assert not found.response["violations"], found.generate_report()
