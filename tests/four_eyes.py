"""A second person for tests: decides, and lets the clerk carry it out, each as its own login."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import Approval
from accounts.services.approvals import decide_approval
from accounts.states import Verdict
from audit.actors import Actor
from audit.errors import Refusal
from tests import factories
from tests.conftest import STAGE
from transactions.rounds.approvals import carry_out_approvals

AT_ONCE: Final = 4


def decide(
    approval: Approval, *, by: Actor | None = None, verdict: Verdict = Verdict.APPROVE
) -> Approval:
    """Let somebody else decide what they were shown, at the staff's desk."""
    with STAGE.as_role("admin"):
        return decide_approval(
            actor=by or factories.colleague(),
            approval_id=approval.pk,
            verdict=verdict,
            reason="looked at it",
            shown_hash=approval.payload_hash,
        )


def carry_out(approval: Approval, *, verdict: Verdict = Verdict.APPROVE) -> Approval:
    """Decide, and let the worker do what was decided; return how the request stands then."""
    decide(approval, verdict=verdict)
    with STAGE.as_role("worker"):
        carry_out_approvals()
    return Approval.objects.get(pk=approval.pk)


def outcomes(act: Callable[[], object]) -> list[str]:
    """Run an act several times at once; return what came of each, sorted."""

    def run(_: int) -> str:
        try:
            act()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return sorted(pool.map(run, range(AT_ONCE)))


def commit(statement: str, *parameters: Any) -> None:
    """Run SQL of one's own and commit it, as a captured process would."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def post_raw(journal: dict[str, str], *, lines: list[tuple[Any, int]]) -> None:
    """Hand the ledger's own door a journal in EUR in its book's name, and commit.

    As a captured process would.
    """
    facts = {"trace": "", "occurred_at": "2026-01-01T00:00:00Z", **journal}
    spelled = [
        {"journal": 1, "account": str(key), "amount": amount, "currency": "EUR"}
        for key, amount in lines
    ]
    commit(
        "SELECT ledger_post(%s::jsonb, %s::jsonb) FROM set_config('app.book', %s, true)",
        json.dumps([facts]),
        json.dumps(spelled),
        facts["book"],
    )
