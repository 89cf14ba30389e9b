"""A captured process writes SQL of its own: no limit is raised alone, and no use is taken back."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
from django.db import DatabaseError

from tests import factories
from tests.factories import committed
from tests.four_eyes import commit
from transactions.models import Limit, LimitUse
from transactions.services.transfers import request_transfer
from transactions.states import LimitWindow

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
As = Callable[[str], AbstractContextManager[None]]
LOGINS: Final = ["api", "admin", "worker", "auditor"]
FORGERIES: Final = {
    "raise it alone": "UPDATE transactions_limit SET amount_max_minor = 9999 WHERE id = '{limit}'",
    "lift it alone": "UPDATE transactions_limit SET amount_max_minor = NULL WHERE id = '{limit}'",
    "raise it under what was approved for less": (
        "UPDATE transactions_limit SET amount_max_minor = 10000, changed_under_id = '{newer}'"
        " WHERE id = '{limit}'"
    ),
    "set it again under what was used": (
        "UPDATE transactions_limit SET changed_under_id = changed_under_id, count_max = 7"
        " WHERE id = '{limit}'"
    ),
    "let it be another account's": (
        "UPDATE transactions_limit SET account_id = '{taker}' WHERE id = '{limit}'"
    ),
    "let it be about something else": (
        "UPDATE transactions_limit SET kind = 'hold' WHERE id = '{limit}'"
    ),
    "begin one that allows something": (
        "INSERT INTO transactions_limit"
        ' (id, book_id, account_id, currency, kind, "window", amount_max_minor)'
        " VALUES (uuidv7(), '{book}', '{taker}', 'EUR', 'any', 'day', 5)"
    ),
    "remove it": "DELETE FROM transactions_limit WHERE id = '{limit}'",
    "turn the counter back": "UPDATE transactions_limituse SET amount_minor = 0, times = 0",
    "remove the counter": "DELETE FROM transactions_limituse",
}


@pytest.fixture(scope="module")
def ids(committed: None) -> dict[str, Any]:
    """An account with a limit, something used of it, and an approval of another limit."""
    del committed
    cast = factories.cast()
    limit = factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=1_000)
    newer = factories.agreed_limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=2_000)
    order = factories.order(cast.giver, amount_minor=400, to=cast.taker)
    factories.set_up(request_transfer)(actor=cast.actor, order=order, origin=factories.origin())
    return {
        "limit": limit.pk,
        "newer": newer.pk,
        "giver": cast.giver.pk,
        "taker": cast.taker.pk,
        "book": cast.partner.book_id,
    }


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_login_changes_a_limit_or_its_counter_alone(
    forgery: str, role: str, ids: dict[str, Any], as_role: As
) -> None:
    with as_role(role), pytest.raises(DatabaseError) as refusal:
        commit(FORGERIES[forgery].format(**ids))
    assert "no audit entry" not in str(refusal.value), "refused for its form, not for its witness"
    limit = Limit.objects.get(pk=ids["limit"])
    assert (limit.amount_max_minor, limit.count_max) == (1_000, None)


@pytest.mark.parametrize("role", ["api", "admin", "worker"])
def test_the_counters_door_only_counts_up_and_never_past_the_limit(
    role: str, ids: dict[str, Any], as_role: As
) -> None:
    use = LimitUse.objects.get(subject_id=ids["giver"])
    spelled = {
        "subject": str(ids["giver"]),
        "book": str(ids["book"]),
        "currency": "EUR",
        "kind": "internal",
        "day": use.day.isoformat(),
        "slice": 0,
        "times": 1,
    }
    count = "SELECT limits_use(%s::jsonb) FROM set_config('app.book', %s, true)"
    with as_role(role):
        commit(count, json.dumps([spelled | {"amount": -400}]), spelled["book"])
        with pytest.raises(DatabaseError, match="limit_kept"):
            commit(count, json.dumps([spelled | {"amount": 601}]), spelled["book"])
    assert LimitUse.objects.get(subject_id=ids["giver"]).amount_minor == 400


@pytest.mark.parametrize("role", ["api", "admin", "auditor"])
@pytest.mark.parametrize("function", ["limits_recount('{limit}')", "limits_fold()"])
def test_only_the_worker_counts_anew_or_folds(
    function: str, role: str, ids: dict[str, Any], as_role: As
) -> None:
    with as_role(role), pytest.raises(DatabaseError, match="permission denied"):
        commit(f"SELECT {function.format(**ids)}")
