"""The staff's lists ask as much of the database for a page of many rows as for one of one."""

from collections.abc import Iterator
from typing import Final

import pytest
from django.contrib.admin import site
from pytest_django import DjangoDbBlocker

from accounts.roles import Role
from tests.conftest import STAGE
from tests.desk import Desk, seat
from tests.everything import one_of_each
from tests.questions import questions

MANY: Final = 4
PAGES: Final = {
    model._meta.label_lower: page for model, page in sorted(site._registry.items(), key=str)
}


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    """An auditor in a house with some of everything, each of partners and people of its own."""
    with django_db_blocker.unblock():
        with STAGE.as_role("migrator"):
            for _ in range(MANY):
                one_of_each()
        STAGE.enter("admin")
        desk = seat(Role.AUDITOR)
        desk.open("index")  # asks what is asked only once
        yield desk
        STAGE.reclone()


@pytest.mark.parametrize("label", PAGES)
def test_a_list_asks_no_more_for_many_rows_than_for_one(
    desk: Desk, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> None:
        answer = desk.open(f"{label.replace('.', '_')}_changelist")
        assert len(answer.context_data["cl"].result_list) == PAGES[label].list_per_page

    monkeypatch.setattr(PAGES[label], "list_per_page", 1)
    one = questions(look)
    monkeypatch.setattr(PAGES[label], "list_per_page", MANY)
    many = questions(look)
    assert len(many) == len(one), "\n".join(sorted(set(many) - set(one)))
