"""Two partners for tests: one that pays, and one that lets it."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests import factories
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.models import LedgerAccount, Transfer
from transactions.orders import PartnerOrder
from transactions.services.consents import withdraw_payer
from transactions.services.partner_transfers import request_partner_transfer


@pytest.fixture(scope="module")
def payer(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner that pays, with real commits."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


@pytest.fixture
def taker(payer: Cast) -> Cast:
    """Another partner, fresh for each test, that lets the first pay into its taker."""
    made = factories.cast()
    factories.consent(made, payer=payer)
    return made


def pay(payer: Cast, order: PartnerOrder) -> Transfer:
    return request_partner_transfer(actor=payer.actor, order=order, origin=factories.origin())


def withdrawn(taker: Cast) -> dict[str, Any]:
    for consent in LedgerAccount.objects.get(pk=taker.taker.pk).consents.all():
        withdraw_payer(actor=taker.actor, consent_id=consent.pk)
    return {"alias": taker.taker.alias}
