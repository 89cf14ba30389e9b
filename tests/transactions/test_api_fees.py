"""Fees as a partner's engineer sees them: its own transfers' price, and nothing of another's."""

import pytest

from tests import factories
from tests.partners import PartnerWorld, acme, company_of, globex
from transactions.fees import FeeTerms
from transactions.models import FeeRule
from transactions.states import TransferKind

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/fee-rules"
TERMS = FeeTerms(flat_minor=25, bps=20, minimum_minor=50, cap_minor=1_500)


def agreed(
    world: PartnerWorld, terms: FeeTerms = TERMS, *, kind: TransferKind = TransferKind.INTERNAL
) -> FeeRule:
    return factories.fee(company_of(world), terms, kind=kind)


def listed(world: PartnerWorld, query: str = "") -> list[str]:
    return [each["id"] for each in world.get(f"{PATH}{query}").json()["data"]]


def test_a_partner_reads_what_its_transfers_cost_and_no_more(acme: PartnerWorld) -> None:
    rule = agreed(acme)
    (shown,) = acme.get(PATH).json()["data"]
    assert shown == {
        "id": rule.public_id,
        "kind": "internal",
        "currency": "EUR",
        "flat_minor": 25,
        "bps": 20,
        "minimum_minor": 50,
        "cap_minor": 1_500,
        "version": rule.version,
        "begins_at": f"{rule.begins_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "ends_at": None,
    }
    made = acme.post("/v1/transfers", acme.internal()).json()
    assert (made["fee_minor"], made["fee_rule"]) == (TERMS.on(100), rule.public_id)
    assert acme.get(f"{PATH}/{made['fee_rule']}").json()["id"] == rule.public_id


def test_only_what_is_in_force_is_listed_and_what_ended_is_still_read(acme: PartnerWorld) -> None:
    first = agreed(acme, kind=TransferKind.PAYOUT)
    second = agreed(acme, FeeTerms(flat_minor=5), kind=TransferKind.PAYOUT)
    waiting = factories.proposed_fee(company_of(acme), FeeTerms(flat_minor=1))
    assert second.public_id in listed(acme)
    assert not {first.public_id, waiting.public_id} & set(listed(acme))
    assert acme.get(f"{PATH}/{first.public_id}").json()["ends_at"]
    assert acme.get(f"{PATH}/{waiting.public_id}").status_code == 404


def test_another_partners_rules_are_as_if_there_were_none(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    mine, theirs = agreed(acme), agreed(globex)
    assert listed(globex) == [theirs.public_id]
    assert theirs.public_id not in listed(acme)
    strange = globex.get(f"{PATH}/{mine.public_id}")
    missing = globex.get(f"{PATH}/fee_00000000000000000000000000")
    assert strange.status_code == missing.status_code == 404
    assert strange.json()["code"] == missing.json()["code"] == "not_found"


def test_a_token_without_the_scope_reads_none(acme: PartnerWorld) -> None:
    token = acme.token("transfers:write")
    for path in (PATH, f"{PATH}/{agreed(acme).public_id}"):
        assert acme.get(path, token=token).status_code == 403


def test_pages_skip_and_repeat_none(acme: PartnerWorld) -> None:
    for kind in TransferKind:
        agreed(acme, kind=kind)
    whole, found, query = listed(acme), [], "?limit=1"
    assert len(whole) == len(TransferKind)
    while query:
        page = acme.get(f"{PATH}{query}").json()
        found += [each["id"] for each in page["data"]]
        query = f"?limit=1&cursor={page['next_cursor']}" if page["has_more"] else ""
    assert found == whole
    assert acme.get(f"{PATH}?state=proposed").status_code == 400
