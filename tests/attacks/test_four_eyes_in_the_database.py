"""A captured process writes SQL of its own: the database still wants a second person."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import DatabaseError, connection, transaction

from tests import factories
from tests.factories import committed
from transactions.models import Transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
As = Callable[[str], AbstractContextManager[None]]

FORGERIES = {
    "approve without a decision": "UPDATE accounts_approval SET state = 'approved' WHERE id = %s",
    "use without approval": "UPDATE accounts_approval SET state = 'used' WHERE id = %s",
    "show another payload": "UPDATE accounts_approval SET payload = '{}' WHERE id = %s",
    "become another maker": "UPDATE accounts_approval SET maker_party = 'person:x' WHERE id = %s",
    "skip the approval": (
        "UPDATE transactions_transfer SET state = 'accepted' WHERE approval_id = %s"
    ),
    "drop the approval": (
        "UPDATE transactions_transfer SET approval_id = NULL WHERE approval_id = %s"
    ),
    "send more": (
        "UPDATE transactions_transfer SET amount_minor = amount_minor + 1 WHERE approval_id = %s"
    ),
    "pay somebody else": (
        "UPDATE transactions_transfer SET payee_iban_id = payee_name_id WHERE approval_id = %s"
    ),
}


def commit(statement: str, *, about: Transfer) -> None:
    """Run a statement of one's own and commit it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [about.approval_id])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture(scope="module")
def waiting(committed: None) -> Transfer:
    """A payout that waits for a second person."""
    del committed
    return factories.payout(factories.cast(), state=TransferState.AWAITING_APPROVAL)


@pytest.mark.parametrize("role", ["api", "admin", "worker"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_login_gets_past_the_second_person(
    forgery: str, role: str, waiting: Transfer, as_role: As
) -> None:
    with as_role(role), pytest.raises(DatabaseError) as refusal:
        commit(FORGERIES[forgery], about=waiting)
    assert "no audit entry" not in str(refusal.value), "refused for its form, not for its witness"
    waiting.refresh_from_db()
    assert waiting.state == TransferState.AWAITING_APPROVAL


def test_a_journal_without_lines_does_not_burn_an_origin(waiting: Transfer) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="too_few_lines"):
        cursor.execute(
            "SELECT ledger_post(jsonb_build_array(jsonb_build_object("
            "'book', %s::text, 'purpose', 'none', 'subject', 'none', 'origin', 'none',"
            " 'trace', '', 'occurred_at', now())), '[]'::jsonb)"
            " FROM set_config('app.book', %s, true)",
            [str(waiting.book_id)] * 2,
        )
