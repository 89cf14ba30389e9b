"""Every page of the staff's admin, by every door: scope, role, address, and what one may type.

The pages and their actions come from the site itself, so a new page is tested by being served.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from audit.models import Entry
from audit.typeids import uuid7
from tests.everything import Rows, one_of_each
from tests.staff import Member, invite, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
AsRole = Callable[[str], AbstractContextManager[None]]

PAGES: Final = sorted(model._meta.label_lower for model in site._registry)
COLUMNS_MAX: Final = 7
# What people paste by accident and others on purpose.
ODD: Final = ("%00", "'", '"', "%25", "\\", "..%2F..", "x" * 3000, "%F0%9F%92%B6", "acc_", "🙈")


def page_of(label: str) -> Any:
    return next(page for model, page in site._registry.items() if model._meta.label_lower == label)


def address(label: str, *rest: object) -> str:
    app, _, model = label.partition(".")
    return "/".join(["/admin", app, model, *map(str, rest), ""])


def actions_of(label: str) -> list[str]:
    """Return the addresses of the actions that a page offers on one row."""
    page = page_of(label)
    return [
        getattr(page, name).url_path or name for name in page.actions_detail if hasattr(page, name)
    ]


@pytest.fixture
def rows(transactional_db: None, as_role: AsRole) -> Rows:
    """One row of everything that has a page, granted to nobody."""
    with as_role("migrator"):
        return one_of_each()


@pytest.fixture
def as_staff(client: Client, as_role: AsRole) -> Callable[[Role], Client]:
    """Come through the door as somebody with a role."""

    def come_in(role: Role) -> Client:
        with as_role("migrator"):
            member: Member = invite(role)
        sign_in(client, member)
        return client

    return come_in


def test_there_is_a_row_for_every_page(rows: Rows) -> None:
    assert sorted(rows) == PAGES


@pytest.mark.parametrize("label", PAGES)
def test_no_list_is_wider_than_a_screen(label: str) -> None:
    assert len(page_of(label).list_display) <= COLUMNS_MAX


def test_an_auditor_reads_every_page_and_nothing_is_counted(
    rows: Rows, as_staff: Callable[[Role], Client]
) -> None:
    client = as_staff(Role.AUDITOR)
    for label, key in rows.items():
        with CaptureQueriesContext(connection) as asked:
            listed = client.get(address(label))
            shown = client.get(address(label, key, "change"))
        assert (listed.status_code, shown.status_code) == (200, 200), label
        # The badges of the sidebar count at most a hundred rows that they read.
        said = " ".join(query["sql"] for query in asked).upper()
        assert "COUNT(*)" not in said, label
        assert "OFFSET" not in said, label
        assert str(key) in listed.content.decode(), label


def test_nobody_writes_in_place(rows: Rows, as_staff: Callable[[Role], Client]) -> None:
    client = as_staff(Role.COMPLIANCE_OFFICER)
    for label, key in rows.items():
        assert client.post(address(label, key, "change"), {"name": "x"}).status_code == 403, label
        assert client.post(address(label, "add"), {"name": "x"}).status_code == 403, label
        assert client.post(address(label, key, "delete"), {"post": "yes"}).status_code == 403, (
            label
        )
        listed = client.post(
            address(label), {"action": "delete_selected", "_selected_action": key}
        )
        assert listed.status_code < 500, label
        assert client.get(address(label, key, "change")).status_code == 200, label


def test_without_a_grant_support_finds_nothing_and_no_row_exists(
    rows: Rows, as_staff: Callable[[Role], Client]
) -> None:
    client = as_staff(Role.SUPPORT_AGENT)
    for label, key in rows.items():
        listed = client.get(address(label))
        assert listed.status_code in (200, 403), label
        assert str(key) not in listed.content.decode(), label
        assert client.get(address(label, key, "change")).status_code in (403, 404), label
        for act in actions_of(label):
            for answer in (client.get(address(label, key, act)), _post(client, label, key, act)):
                assert answer.status_code in (403, 404), (label, act)
        assert str(key) not in client.get(f"/admin/find/?q={key}").content.decode().replace(
            f'value="{key}"', ""
        ), label
    said = client.get(f"/admin/trace/?id={rows['transactions.transfer']}").content.decode()
    assert "Nothing by that name" in said


def test_an_auditor_acts_by_no_address(rows: Rows, as_staff: Callable[[Role], Client]) -> None:
    client = as_staff(Role.AUDITOR)
    before = Entry.objects.filter(outcome="done").count()
    acts = [
        (label, act) for label in PAGES for act in actions_of(label) if act not in TAKES_A_COPY
    ]
    assert len(acts) >= 8
    for label, act in acts:
        key = rows[label]
        assert client.get(address(label, key, act)).status_code == 403, (label, act)
        assert _post(client, label, key, act).status_code == 403, (label, act)
    assert client.get(address("transactions.transfer", "new-payout")).status_code == 403
    assert Entry.objects.filter(outcome="done").count() == before


def test_an_act_on_what_is_not_there_is_404(
    rows: Rows, as_staff: Callable[[Role], Client]
) -> None:
    del rows
    client = as_staff(Role.COMPLIANCE_OFFICER)
    allowed = [
        (label, act) for label in PAGES for act in actions_of(label) if act not in NOT_THEIRS
    ]
    assert allowed
    for label, act in allowed:
        for key in (uuid7(), "x", "0" * 400):
            assert client.get(address(label, key, act)).status_code == 404, (label, act, key)
            assert _post(client, label, key, act).status_code == 404, (label, act, key)


# A copy taken out of the house changes nothing in it, and is on record: auditors may.
TAKES_A_COPY: Final = {"copy", "results"}
NOT_THEIRS: Final = {
    "propose",
    "cancel",
    "withdraw",
    "escalate",
    "reverse",
    "allocate",
    "change-details",
    "retire",
    "floor",
    "close",
    "reopen",
    "limit",
    "ask",
    "another",
}


def test_what_one_types_is_never_an_error(rows: Rows, as_staff: Callable[[Role], Client]) -> None:
    client = as_staff(Role.COMPLIANCE_OFFICER)
    for odd in ODD:
        for place in ("trace/?id=", "find/?q=", "search/?extended=1&s="):
            assert client.get(f"/admin/{place}{odd}").status_code == 200, (place, odd)
    for label in rows:
        for query in ("q=%00", "q='", "after=x", "state__exact=zzz", "bogus=1&p=-1&all=1&o=9"):
            answer = client.get(f"{address(label)}?{query}")
            assert answer.status_code in (200, 302), (label, query)
        for key in ("garbage", "0" * 400):
            assert client.get(address(label, key, "change")).status_code == 404, (label, key)


def _post(client: Client, label: str, key: object, act: str) -> Any:
    return client.post(address(label, key, act), {"reason": "because", "mode": "all"})
