"""Decided on an old reading, a limit is kept all the same, and its caller hears which."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from audit.calls import send
from audit.errors import Fault
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast
from tests.partners import PartnerWorld, acme, fresh_key
from transactions.errors import LimitExceeded
from transactions.ledger import posting
from transactions.ledger.limits import counting
from transactions.limits import decided_again
from transactions.models import BatchItem, LimitUse, Transfer
from transactions.rounds.batches import carry_out_batches
from transactions.services import intake
from transactions.services.batches import request_transfers
from transactions.services.intake import Instruction
from transactions.services.schedules import execute_scheduled
from transactions.services.transfers import request_transfer
from transactions.standing import Standing
from transactions.states import LimitKind, LimitWindow, TransferState

__all__ = ["acme"]
pytestmark = [pytest.mark.usefixtures("acme"), pytest.mark.role("api")]
Meanwhile = Callable[[int], None]


@pytest.fixture
def cast() -> Cast:
    """A partner with two accounts."""
    return factories.cast()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let somebody spend so much right after the next reading, as if that had been older."""
    read = posting.stand

    def spend(amount_minor: int) -> None:
        def stand(*args: Any, **kwargs: Any) -> dict[Any, Standing]:
            monkeypatch.setattr(intake, "stand", read)
            found = read(*args, **kwargs)
            for key in kwargs["spending"].account_ids:
                send(counting(deepcopy(found[key]).use(amount_minor, kind=LimitKind.PAYOUT)))
            return found

        monkeypatch.setattr(intake, "stand", stand)

    return spend


def order_of(cast: Cast, amount_minor: int) -> Any:
    return factories.order(cast.giver, amount_minor=amount_minor, to=cast.taker)


@pytest.mark.parametrize("scope", ["account", "partner"])
@pytest.mark.parametrize(
    ("maxima", "measure", "most", "left"),
    [
        ({"amount_max_minor": 1_000}, "amount", 1_000, 50),
        ({"count_max": 1}, "count", 1, 0),
        ({"amount_max_minor": 1_000, "count_max": 2}, "amount", 1_000, 50),
    ],
)
def test_its_caller_hears_what_was_left(
    cast: Cast,
    meanwhile: Meanwhile,
    caplog: pytest.LogCaptureFixture,
    scope: str,
    maxima: dict[str, int],
    measure: str,
    most: int,
    left: int,
) -> None:
    subject = cast.giver if scope == "account" else cast.partner
    limit = factories.limit(subject, window=LimitWindow.DAY, **maxima)
    meanwhile(950)
    with pytest.raises(LimitExceeded) as refused:
        request_transfer(actor=cast.actor, order=order_of(cast, 100), origin=factories.origin())
    assert refused.value.facts() == {
        "account": cast.giver.public_id,
        "limit": limit.public_id,
        "scope": scope,
        "what": "any",
        "window": "day",
        "measure": measure,
        "most": most,
        "left": left,
    }
    assert "limit_kept" in caplog.text  # for us it is a fault: somebody read before the lock
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


def test_of_many_the_first_that_does_not_fit_is_named_and_none_happens(
    cast: Cast, meanwhile: Meanwhile
) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=350)
    many = [
        Instruction(order=order_of(cast, amount), origin=factories.origin())
        for amount in (100, 120, 30)
    ]
    meanwhile(200)
    with pytest.raises(LimitExceeded) as refused:
        request_transfers(actor=cast.actor, instructions=many)
    assert (refused.value.measure, refused.value.left) == ("amount", 50)
    assert not Transfer.objects.filter(book_id=cast.partner.book_id).exists()
    assert not LimitUse.objects.filter(subject_id=cast.giver.pk).exists()


def test_a_batch_and_what_is_due_are_decided_again_in_the_next_round(
    cast: Cast, meanwhile: Meanwhile, as_role: Any
) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=2_000)
    batch = factories.batch(cast)
    due = factories.scheduled(cast, order_of(cast, 500))
    factories.pass_by(due.execute_at)
    with as_role("worker"):
        meanwhile(1_900)
        carry_out_batches()
        assert BatchItem.objects.get(batch_id=batch.pk).outcome == ""
        meanwhile(1_900)
        with pytest.raises(LimitExceeded):
            execute_scheduled(actor=factories.SYSTEM, transfer_id=due.pk)
        assert Transfer.objects.get(pk=due.pk).state == TransferState.SCHEDULED
        carry_out_batches()
        execute_scheduled(actor=factories.SYSTEM, transfer_id=due.pk)
    assert BatchItem.objects.get(batch_id=batch.pk).outcome == "done"
    assert Transfer.objects.get(pk=due.pk).state == TransferState.SETTLED
    assert_books_hold()


def test_over_http_it_is_the_usual_no_and_sticks_to_its_key(
    acme: PartnerWorld, meanwhile: Meanwhile
) -> None:
    factories.limit(acme.source, window=LimitWindow.DAY, amount_max_minor=1_000)
    key, body = fresh_key(), acme.internal(amount_minor=100)
    meanwhile(950)
    first, again = (acme.post("/v1/transfers", body, key=key) for _ in range(2))
    assert (first.status_code, first.json()["code"]) == (409, "limit_exceeded")
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Idempotent-Replayed"] == "true"


def test_a_limit_that_nobody_passed_is_a_fault() -> None:
    told = {
        "id": "0199c8f0-0000-7000-8000-000000000001",
        "account_id": None,
        "book_id": "0199c8f0-0000-7000-8000-000000000002",
        "currency": "EUR",
        "kind": "any",
        "window": "day",
        "amount_max_minor": 1,
        "count_max": None,
        "amount_used_minor": 2,
        "count_used": 1,
    }
    with pytest.raises(Fault, match="by nobody"):
        decided_again(told, uses=[])
