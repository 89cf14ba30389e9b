"""The demo world: made by commands, the same past each time, nothing left out, books that hold."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.roles import Role
from accounts.states import ApprovalState
from audit.typeids import parse_typeid
from config.sandbox import past, world
from config.sandbox.cast import PAYEES
from config.sandbox.months import month_ago
from config.sandbox.refusal import CannotRun
from integrations.models import Callback
from tests.books import assert_books_hold
from tests.conftest import STAGE
from transactions.meanings import DisputeState, Movement, MovementKind
from transactions.models import (
    Balance,
    BatchFile,
    BatchItem,
    Conversion,
    Dispute,
    FeeRule,
    Hold,
    Journal,
    LedgerAccount,
    PayInConsent,
    Posting,
    Transfer,
    TransferBatch,
)
from transactions.selectors.archive import months
from transactions.selectors.findings import latest_check, open_findings
from transactions.services.imports import PastTransfer
from transactions.states import (
    BatchState,
    FeeState,
    HoldState,
    ItemOutcome,
    TransferKind,
    TransferState,
)

pytestmark = pytest.mark.role("migrator")
NOON = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
PASSWORD_CHARACTERS_MIN = 12


def stands() -> list[past.Stand]:
    """Return four accounts of one firm."""
    return [
        past.Stand(
            account_id=parse_typeid("acc", f"acc_0000000000000000000000000{number}"),
            firm="acme",
            currency="EUR",
            held_minor=500_000,
            is_customer=number > 1,
        )
        for number in range(1, 5)
    ]


def test_the_same_seed_and_day_make_the_same_past() -> None:
    once, again, other = (
        list(past.events(stands(), now=NOON, seed=seed)) for seed in ("a", "a", "b")
    )
    assert once == again
    assert once != other


def test_the_past_is_in_order_over_before_today_and_quiet_at_weekends() -> None:
    told = [event.occurred_at for event in past.events(stands(), now=NOON, seed="a")]
    assert told == sorted(told)
    assert timedelta(days=past.DAYS - 1) < NOON - told[0] < timedelta(days=past.DAYS + 1)
    busy = Counter(at.weekday() for at in told)
    assert max(busy[5], busy[6]) < min(busy[day] for day in range(5))


def test_no_account_of_the_past_holds_less_than_nothing() -> None:
    held = {stand.account_id: stand.held_minor for stand in stands()}
    for event in past.events(stands(), now=NOON, seed="a"):
        match event:
            case PastTransfer(order=order, state=TransferState.SETTLED):
                held[order.source_id] -= order.money.amount_minor
                if order.destination_id is not None:
                    held[order.destination_id] += order.money.amount_minor
            case Movement(account_id=key) if key is not None:
                held[key] += event.amount_minor
        assert min(held.values()) >= 0


def test_nobody_in_it_has_a_real_account() -> None:
    for payee in PAYEES:
        digits = payee.iban[4:] + "1314" + payee.iban[2:4]
        assert int(digits) % 97 == 1
        assert payee.iban[4:12] == "99999999"


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """The world, in a database of its own."""
    with django_db_blocker.unblock():
        STAGE.enter("migrator")
        yield world.load()
        STAGE.reclone()


def test_every_state_a_transfer_can_have_is_there(loaded: dict[str, Any]) -> None:
    assert loaded
    states = set(Transfer.objects.filter(kind=TransferKind.PAYOUT).values_list("state", flat=True))
    assert states == set(TransferState.values) - {TransferState.REVERSED}
    assert Transfer.objects.filter(state=TransferState.REVERSED).exists()
    assert set(Hold.objects.values_list("state", flat=True)) == set(HoldState.values) - {"expired"}
    assert Transfer.objects.count() > 500
    assert {"ignored", "quarantined"} == set(Callback.objects.values_list("state", flat=True))
    assert Dispute.objects.filter(state=DisputeState.WON).exists()
    kinds = set(Journal.objects.values_list("purpose", flat=True))
    assert kinds >= {kind.value for kind in MovementKind} - {"fee", "adjustment"}
    assert Balance.objects.exclude(frozen=0).exists()
    assert_books_hold()


def test_what_two_agreed_to_is_in_force_and_was_carried_out(loaded: dict[str, Any]) -> None:
    assert loaded
    price = FeeRule.objects.get(state=FeeState.IN_FORCE)
    paid = list(Transfer.objects.filter(fee_rule=price).order_by("pk"))
    assert len(paid) > 5
    assert all(each.fee_minor == price.terms.on(each.amount_minor) > 0 for each in paid)
    assert FeeRule.objects.filter(state=FeeState.PROPOSED).count() == 1
    across = Transfer.objects.get(kind=TransferKind.PARTNER)
    assert across.state == TransferState.SETTLED
    assert PayInConsent.objects.get().account_id == across.destination_id
    changed = Conversion.objects.get()
    assert (changed.sold_minor, changed.bought_minor) == (1_000_00, 1_082_50)
    journal = Journal.objects.get(purpose="conversion")
    lines = Posting.objects.filter(journal_id=journal.pk).order_by("amount_minor")
    position = LedgerAccount.objects.filter(code="fx").values_list("pk", flat=True)
    assert [line.amount_minor for line in lines if line.account_id in position] == [
        -changed.bought_minor,
        changed.sold_minor,
    ]


def test_a_file_of_transfers_was_signed_whole_and_carried_out(loaded: dict[str, Any]) -> None:
    assert loaded
    file = BatchFile.objects.get()
    batch = TransferBatch.objects.get(origin=file.origin)
    assert batch.state == BatchState.FINISHED
    assert batch.approval
    assert batch.approval.state == ApprovalState.USED
    outcomes = BatchItem.objects.filter(batch=batch).values_list("outcome", flat=True)
    assert list(outcomes) == [ItemOutcome.DONE] * file.row_count


def test_its_books_were_looked_at_once_and_hold(loaded: dict[str, Any]) -> None:
    assert loaded
    check = latest_check()
    assert check is not None
    assert check.is_full
    assert not open_findings().exists()


def test_a_closed_month_may_be_put_away_and_was_not(loaded: dict[str, Any]) -> None:
    assert loaded
    first = months()[0]
    assert (first.month, bool(first.closed), first.is_away) == (month_ago(2), True, False)
    for act in ("detach", "attach"):
        call_command("months", act, f"{first.month:%Y-%m}", reason="To see it")
        assert_books_hold()


def test_the_worlds_clock_is_spread_and_ours_is_honest(loaded: dict[str, Any]) -> None:
    assert loaded
    now = timezone.now()
    days = {at.date() for at in Journal.objects.values_list("occurred_at", flat=True)}
    assert len(days) > past.DAYS * 0.9
    assert max(days) <= now.date()
    oldest = Journal.objects.order_by("recorded_at").values_list("recorded_at", flat=True)[0]
    assert now - oldest < timedelta(minutes=10)


def test_it_hands_out_what_is_needed_to_sign_in(loaded: dict[str, Any]) -> None:
    assert {person["role"] for person in loaded["staff"]} == {role.value for role in Role}
    for person in loaded["staff"]:
        assert len(person["password"]) >= PASSWORD_CHARACTERS_MIN
        assert person["totp_secret"]
    for partner in loaded["partners"]:
        assert set(partner) == {"name", "client_id", "client_secret", "book", "accounts"}
        parse_typeid("bok", partner["book"])
        keys = {parse_typeid("acc", each["id"]) for each in partner["accounts"]}
        assert LedgerAccount.objects.filter(pk__in=keys).count() == len(keys)


def test_it_is_made_once(loaded: dict[str, Any]) -> None:
    assert loaded
    with pytest.raises(CannotRun):
        world.load()
