"""Limits as a partner's engineer sees them: what they allow, and what a no tells."""

import pytest

from tests import factories
from tests.partners import PartnerWorld, acme
from transactions.states import LimitKind, LimitWindow

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"


def test_a_partner_reads_its_limits_and_what_is_left_of_them(acme: PartnerWorld) -> None:
    factories.limit(acme.source, window=LimitWindow.DAY, amount_max_minor=500, count_max=9)
    factories.limit(
        acme.portfolio.partner,
        kind=LimitKind.INTERNAL,
        window=LimitWindow.DAYS_30,
        amount_max_minor=1_000_000_000,
    )
    body = acme.internal(amount_minor=300)
    assert acme.post(PATH, body).status_code == 201
    own, partners = acme.get(f"/v1/accounts/{acme.source.public_id}").json()["limits"]
    assert own.pop("id").startswith("lim_")
    assert own == {
        "scope": "account",
        "kind": "any",
        "window": "day",
        "amount_max_minor": 500,
        "amount_used_minor": 300,
        "amount_left_minor": 200,
        "count_max": 9,
        "count_used": 1,
        "count_left": 8,
    }
    assert (partners["scope"], partners["kind"], partners["window"]) == (
        "partner",
        "internal",
        "30_days",
    )
    assert (partners["count_max"], partners["count_left"]) == (None, None)


def test_a_refusal_says_which_limit_and_what_is_left(acme: PartnerWorld) -> None:
    made = factories.limit(acme.target, window=LimitWindow.DAY, amount_max_minor=70)
    body = acme.internal(
        source_account=acme.target.public_id,
        destination_account=acme.source.public_id,
        amount_minor=71,
    )
    answer = acme.post(PATH, body)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (409, "limit_exceeded")
    assert {name: said[name] for name in ("limit", "scope", "what", "window", "measure")} == {
        "limit": made.public_id,
        "scope": "account",
        "what": "any",
        "window": "day",
        "measure": "amount",
    }
    assert (said["most"], said["left"]) == (70, 70)
