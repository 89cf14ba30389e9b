"""T08: the twenty rules of idempotency keys, each held at the door by cases of one table."""

from dataclasses import replace

import pytest

from accounts.roles import SCOPES
from accounts.services.clients import register_client
from tests.accounts.exchanges import Row, play
from tests.accounts.idempotency_rules import ELSEWHERE, TABLE
from tests.conftest import STAGE
from tests.partners import FOUNDER, PartnerWorld, acme, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
CASES_MIN = 60
RULES = set(range(1, 21))


@pytest.fixture(scope="module")
def worlds(acme: PartnerWorld, globex: PartnerWorld) -> dict[str, PartnerWorld]:
    """A partner with two accounts of machines, one with its secret rotated; and another one."""
    clients = {}
    with STAGE.as_role("migrator"):
        for name, beside in (("sibling", None), ("rotated", acme.client.id)):
            clients[name] = register_client(
                actor=FOUNDER,
                partner_id=acme.partner.pk,
                name=name,
                scopes=list(SCOPES),
                beside=beside,
            )
    theirs = {name: replace(acme, client=client, _tokens={}) for name, client in clients.items()}
    return {"acme": acme, "globex": globex, **theirs}


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_t08_the_door_keeps_the_rule(row: Row, worlds: dict[str, PartnerWorld]) -> None:
    play(row, worlds=worlds)


def test_t08_every_rule_has_a_case_or_is_held_elsewhere() -> None:
    held = {row.rule for row in TABLE}
    assert held | set(ELSEWHERE) == RULES
    assert not held & set(ELSEWHERE)


def test_t08_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(TABLE) >= CASES_MIN
    assert len({str(row) for row in TABLE}) == len(TABLE)
