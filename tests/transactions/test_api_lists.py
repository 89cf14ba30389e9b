"""The API's lists ask as much of the database for a page of many rows as for one of one."""

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from config.urls.api import urlpatterns
from tests import factories
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, company_of
from tests.questions import questions
from transactions.fees import FeeTerms
from transactions.states import TransferKind

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
MANY: Final = 4
LISTS: Final = [
    str(each.pattern)
    for each in urlpatterns
    if getattr(each.callback, "cls", object).__name__.endswith(("List", "Items", "Feed"))
]


@pytest.fixture(scope="module")
def names(acme: PartnerWorld) -> dict[str, str]:
    """Some of everything that is listed, and the ids in the addresses of the lists."""
    company = company_of(acme)
    with STAGE.as_role("migrator"):
        for currency in ("USD", "JPY"):
            other = factories.account(acme.portfolio, currency=currency)
            for kind in (TransferKind.INTERNAL, TransferKind.PAYOUT):
                factories.fee(replace(company, giver=other), FeeTerms(flat_minor=1), kind=kind)
        for _ in range(MANY):
            factories.consent(company, payer=factories.cast())
            factories.hold(company)
            orders = [factories.order(acme.source, to=acme.target) for _ in range(MANY)]
            batch = factories.batch(company, *map(factories.keyed, orders))
            factories.payout(company)
            factories.internal(company)
    return {"account_id": acme.target.public_id, "batch_id": batch.public_id}


@pytest.mark.parametrize("pattern", LISTS)
def test_a_list_asks_no_more_for_many_rows_than_for_one(
    acme: PartnerWorld, names: dict[str, str], pattern: str
) -> None:
    address = f"/{pattern.replace('<str:', '{').replace('>', '}').format(**names)}"

    def look(limit: int) -> None:
        assert len(acme.get(f"{address}?limit={limit}").json()["data"]) == limit

    look(1)  # asks for a token
    one, many = questions(partial(look, 1)), questions(partial(look, MANY))
    assert len(many) == len(one), "\n".join(sorted(set(many) - set(one)))
