"""A captured process writes SQL of its own: what is frozen or closed stays so, but for two."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.errors import AlreadyFrozen
from accounts.models import Account, Approval, Freeze
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import FreezeMode, FreezeState, Verdict
from tests import factories
from tests.books import assert_books_hold
from tests.factories import committed
from transactions.models import Balance
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.accounts import request_closing, request_floor
from transactions.services.freezes import FreezeTerms, freeze_account, request_lifting

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
As = Callable[[str], AbstractContextManager[None]]

FORGERIES: Final = {
    "lift alone": (
        "UPDATE accounts_freeze SET state = 'lifted', lifted_at = now() WHERE id = '{freeze}'"
    ),
    "end before the time": (
        "UPDATE accounts_freeze SET state = 'ended', lifted_at = now() WHERE id = '{freeze}'"
    ),
    "bring the end forward": ("UPDATE accounts_freeze SET ends_at = now() WHERE id = '{freeze}'"),
    "hold back less": "UPDATE accounts_freeze SET amount_minor = 1 WHERE id = '{freeze}'",
    "put it off": "UPDATE accounts_freeze SET state = 'scheduled' WHERE id = '{freeze}'",
    "confirm alone": "UPDATE accounts_freeze SET confirmed_at = now() WHERE id = '{freeze}'",
    "have more time to confirm": (
        "UPDATE accounts_freeze SET confirm_by = 'infinity' WHERE id = '{freeze}'"
    ),
    "remove it": "DELETE FROM accounts_freeze WHERE id = '{freeze}'",
    "thaw the ledger": "UPDATE transactions_balance SET frozen = 0, held_back_minor = 0",
    "lower the ledger's floor": "UPDATE transactions_balance SET floor_minor = -1000",
    "lower the floor alone": (
        "UPDATE accounts_account SET floor_minor = -1000 WHERE id = '{frozen}'"
    ),
    "lower the floor under what was approved for less": (
        "UPDATE accounts_account SET floor_minor = -1000, changed_under_id = '{floor_act}'"
        " WHERE id = '{low}'"
    ),
    "close alone": "UPDATE accounts_account SET closed_at = now() WHERE id = '{frozen}'",
    "close under what was approved for another": (
        "UPDATE accounts_account SET closed_at = now(), changed_under_id = '{close_act}'"
        " WHERE id = '{frozen}'"
    ),
    "reopen alone": "UPDATE accounts_account SET closed_at = NULL WHERE id = '{closed}'",
    "reopen under what closed it": (
        "UPDATE accounts_account SET closed_at = NULL, changed_under_id = '{close_act}'"
        " WHERE id = '{closed}'"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A frozen account, a closed one and one with a floor; the ids that forgeries speak of."""

    ids: dict[str, Any]
    frozen: Account


def commit(statement: str) -> None:
    """Run a statement of one's own and commit it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@factories.set_up
def _approve(asked: Approval) -> Approval:
    decide_approval(
        actor=factories.colleague(),
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason="seen",
        shown_hash=asked.payload_hash,
    )
    carry_out_approvals()
    asked.refresh_from_db()
    assert asked.state == "used"
    return asked


@pytest.fixture(scope="module")
def scene(committed: None) -> Scene:
    """Everything that may be forged, once."""
    del committed
    cast, finance = factories.cast(), factories.colleague(Role.FINANCE_OPERATOR)
    low = factories.account(cast.portfolio)
    ask_closing, ask_floor = factories.set_up(request_closing), factories.set_up(request_floor)
    closing = _approve(ask_closing(actor=finance, account_id=cast.taker.pk, reason="x"))
    floor = _approve(ask_floor(actor=finance, account_id=low.pk, floor_minor=-5, reason="x"))
    freeze = factories.set_up(freeze_account)(
        actor=factories.colleague(),
        account_id=cast.giver.pk,
        mode=FreezeMode.AMOUNT,
        reason="x",
        legal_reference="L-1",
        terms=FreezeTerms(amount_minor=5_000),
    )
    ids = {
        "freeze": freeze.pk,
        "frozen": cast.giver.pk,
        "closed": cast.taker.pk,
        "low": low.pk,
        "close_act": closing.pk,
        "floor_act": floor.pk,
    }
    return Scene(ids=ids, frozen=cast.giver)


@pytest.mark.parametrize("role", ["api", "admin", "worker", "auditor"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_login_thaws_closes_or_lowers_alone(
    forgery: str, role: str, scene: Scene, as_role: As
) -> None:
    with as_role(role), pytest.raises(DatabaseError) as refusal:
        commit(FORGERIES[forgery].format(**scene.ids))
    assert "no audit entry" not in str(refusal.value), "refused for its form, not for its witness"


@pytest.mark.parametrize("role", ["admin", "worker"])
def test_whoever_calls_the_ledger_can_only_make_it_true_again(
    role: str, scene: Scene, as_role: As
) -> None:
    before = Balance.objects.get(pk=scene.frozen.pk)
    with as_role(role), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_restrain(%s)", [scene.frozen.pk])
    after = Balance.objects.get(pk=scene.frozen.pk)
    assert (after.frozen, after.held_back_minor, after.floor_minor) == (0, 5_000, 0)
    assert (before.frozen, before.held_back_minor) == (after.frozen, after.held_back_minor)
    assert_books_hold()


@factories.set_up
@pytest.mark.parametrize("seed", range(3))
def test_the_ledger_always_stops_the_union_of_what_is_in_force(seed: int) -> None:
    """Freezes come and go at random; after each step the ledger is what the rows add up to."""
    chance, account = random.Random(seed), factories.cast().giver  # noqa: S311 - a test's dice
    modes = [mode for mode in FreezeMode if mode != FreezeMode.NONE]
    for step in range(12):
        standing = list(Freeze.objects.filter(account=account, state=FreezeState.IN_FORCE))
        if standing and chance.random() < 0.4:
            freeze = chance.choice(standing)
            actor = factories.colleague()
            _approve(request_lifting(actor=actor, freeze_id=freeze.pk, reason="x"))
        else:
            _place(account, mode=chance.choice(modes), reference=f"L-{chance.randrange(step + 1)}")
        _check_union(account)
    assert_books_hold()


def _place(account: Account, *, mode: FreezeMode, reference: str) -> None:
    amount = 700 if mode is FreezeMode.AMOUNT else None
    with suppress(AlreadyFrozen):
        freeze_account(
            actor=factories.colleague(),
            account_id=account.pk,
            mode=mode,
            reason="x",
            legal_reference=reference,
            terms=FreezeTerms(amount_minor=amount),
        )


def _check_union(account: Account) -> None:
    standing = Freeze.objects.filter(account=account, state=FreezeState.IN_FORCE)
    modes = {freeze.mode for freeze in standing}
    stops_debits = bool(modes & {"debits", "all"})
    stops_credits = bool(modes & {"credits", "all"})
    balance = Balance.objects.get(pk=account.pk)
    assert balance.frozen == stops_debits + 2 * stops_credits
    assert balance.held_back_minor == 700 * sum(freeze.mode == "amount" for freeze in standing)
