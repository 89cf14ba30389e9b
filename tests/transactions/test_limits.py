"""Limits by account or partner, kind, window, amount and count: what counts, and who sets them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.errors import AlreadyAsked
from accounts.models import Partner
from accounts.roles import Role
from accounts.states import Verdict
from audit.errors import Invalid, NotFound, NotPermitted
from tests import factories, four_eyes
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.errors import LimitExceeded, NothingChanged
from transactions.models import Limit, LimitUse, Transfer
from transactions.services.batches import request_transfers
from transactions.services.holds import capture_hold, void_hold
from transactions.services.intake import Instruction
from transactions.services.limits import Maxima, request_limit, request_partner_limit
from transactions.services.storing import Taken
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import LimitKind, LimitWindow, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
K, W = LimitKind, LimitWindow
WINDOWS = [W.DAY, W.DAYS_30]


@pytest.fixture
def cast() -> Cast:
    """A partner with two accounts."""
    return factories.cast()


def ask(cast: Cast, amount_minor: int = 100, *, inside: bool = True) -> Transfer:
    """Ask for a transfer out of the giver's account."""
    to = cast.taker if inside else None
    order = factories.order(cast.giver, amount_minor=amount_minor, to=to)
    return request_transfer(actor=cast.actor, order=order, origin=factories.origin())


def refused(act: Callable[[], object]) -> LimitExceeded:
    """Return the no that an act is told."""
    with pytest.raises(LimitExceeded) as found:
        act()
    return found.value


def used(subject_id: UUID) -> dict[str, tuple[int, int]]:
    """Return what is counted of a subject, by kind."""
    found: dict[str, tuple[int, int]] = {}
    for use in LimitUse.objects.filter(subject_id=subject_id):
        amount, times = found.get(use.kind, (0, 0))
        found[use.kind] = amount + int(use.amount_minor), times + use.times
    return found


@pytest.mark.parametrize("kind", [K.INTERNAL, K.PAYOUT, K.HOLD])
def test_a_limit_is_about_its_kind_and_no_other(cast: Cast, kind: LimitKind) -> None:
    factories.limit(cast.giver, kind=kind, window=W.DAY, amount_max_minor=150)
    acts: dict[LimitKind, Callable[[], object]] = {
        K.INTERNAL: lambda: ask(cast),
        K.PAYOUT: lambda: ask(cast, inside=False),
        K.HOLD: lambda: factories.hold(cast, amount_minor=100),
    }
    for act in acts.values():
        act()
    for each, act in acts.items():
        if each is kind:
            said = refused(act)
            assert (said.what, said.most, said.left) == (kind, 150, 50)
        else:
            act()
    assert_books_hold()


@pytest.mark.parametrize("window", WINDOWS)
def test_all_that_leaves_counts_together_by_amount_and_by_count(
    cast: Cast, window: LimitWindow
) -> None:
    factories.limit(cast.giver, window=window, amount_max_minor=350, count_max=4)
    ask(cast)
    ask(cast, inside=False)
    factories.hold(cast, amount_minor=100)
    said = refused(lambda: ask(cast, 51))
    assert (said.scope, said.window, said.measure, said.left) == ("account", window, "amount", 50)
    ask(cast, 10)
    said = refused(lambda: ask(cast, 1))
    assert (said.measure, said.most, said.left) == ("count", 4, 0)
    assert_books_hold()


def test_a_partners_limit_counts_all_its_accounts_in_the_currency(cast: Cast) -> None:
    other = factories.account(cast.portfolio)
    yen = factories.account(cast.portfolio, currency="JPY")
    factories.limit(cast.partner, window=W.DAY, amount_max_minor=150)
    ask(cast)
    elsewhere = factories.order(other, amount_minor=51, to=cast.taker)
    said = refused(
        lambda: request_transfer(actor=cast.actor, order=elsewhere, origin=factories.origin())
    )
    assert (said.scope, said.left) == ("partner", 50)
    order = factories.order(yen, amount_minor=1_000)
    request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert_books_hold()


def test_a_limit_of_another_partner_is_not_ours(cast: Cast) -> None:
    factories.limit(factories.cast().partner, window=W.DAY, amount_max_minor=0)
    ask(cast)


def test_what_is_called_off_or_voided_gives_back_its_use(cast: Cast) -> None:
    for subject in (cast.giver, cast.partner):
        factories.limit(subject, window=W.DAY, amount_max_minor=300, count_max=2)
    payout, held = ask(cast, inside=False), factories.hold(cast, amount_minor=200)
    refused(lambda: ask(cast, 1))
    cancel_transfer(actor=cast.actor, transfer_id=payout.pk)
    void_hold(actor=cast.actor, hold_id=held.pk)
    for subject_id in (cast.giver.pk, cast.partner.book_id):
        assert used(subject_id) == {"payout": (0, 0), "hold": (0, 0)}
    ask(cast, 300)
    assert_books_hold()


def test_what_of_a_hold_is_captured_stays_used_and_the_rest_does_not(cast: Cast) -> None:
    factories.limit(cast.giver, window=W.DAY, amount_max_minor=500, count_max=5)
    held = factories.hold(cast, amount_minor=200)
    capture_hold(
        actor=cast.actor,
        hold_id=held.pk,
        origin=factories.origin(),
        amount_minor=50,
        is_final=True,
    )
    assert used(cast.giver.pk) == {"hold": (50, 1)}
    assert_books_hold()


def test_what_failed_at_the_bank_gives_back_its_use(cast: Cast) -> None:
    factories.limit(cast.partner, window=W.DAYS_30, amount_max_minor=factories.RICH_MINOR)
    factories.payout(cast, state=TransferState.FAILED)
    factories.payout(cast, state=TransferState.REJECTED)
    factories.payout(cast, state=TransferState.SETTLED)
    assert used(cast.partner.book_id) == {"payout": (1_000, 1)}
    assert_books_hold()


def test_a_first_limit_counts_what_was_before_it_and_a_lifted_one_counts_nothing(
    cast: Cast,
) -> None:
    ask(cast, 300)
    ask(cast, 200, inside=False)
    factories.hold(cast, amount_minor=100)
    factories.limit(cast.giver, window=W.DAY, amount_max_minor=700)
    assert used(cast.giver.pk) == {"internal": (300, 1), "payout": (200, 1), "hold": (100, 1)}
    assert refused(lambda: ask(cast, 101)).left == 100
    factories.limit(cast.giver, window=W.DAY)
    assert used(cast.giver.pk) == {}
    ask(cast, 10_000)
    assert_books_hold()


def test_a_limit_below_what_is_used_refuses_until_the_window_moves_on(cast: Cast) -> None:
    factories.limit(cast.giver, window=W.DAY, amount_max_minor=500)
    ask(cast, 400)
    factories.limit(cast.giver, window=W.DAY, amount_max_minor=300)
    assert refused(lambda: ask(cast, 1)).left == 0


@pytest.mark.parametrize("scope", ["account", "partner"])
def test_of_many_taken_together_those_that_fit_are_taken(cast: Cast, scope: str) -> None:
    subject = cast.giver if scope == "account" else cast.partner
    factories.limit(subject, window=W.DAY, amount_max_minor=350, count_max=20)
    orders = [
        factories.order(cast.giver, amount_minor=amount, to=cast.taker)
        for amount in (100, 300, 100, 100, 60, 50)
    ]
    found = request_transfers(
        actor=cast.actor,
        instructions=[Instruction(order=each, origin=factories.origin()) for each in orders],
    )
    assert [isinstance(each, Taken) for each in found] == [True, False, True, True, False, True]
    key = cast.giver.pk if scope == "account" else cast.partner.book_id
    assert used(key) == {"internal": (350, 4)}
    assert_books_hold()


# -- who sets them ----------------------------------------------------------------------------


def wish(cast: Cast, **terms: Any) -> dict[str, Any]:
    """Return what finance asks for on the giver's account."""
    return {
        "actor": factories.colleague(Role.FINANCE_OPERATOR),
        "account_id": cast.giver.pk,
        "kind": K.ANY,
        "window": W.DAY,
        "maxima": Maxima(amount_minor=500),
        "reason": "their contract",
        **terms,
    }


def test_nothing_is_limited_before_a_second_person_agrees(cast: Cast) -> None:
    with STAGE.as_role("admin"):
        asked = request_limit(**wish(cast))
    ask(cast, 1_000)
    assert four_eyes.carry_out(asked).state == "used"
    assert refused(lambda: ask(cast, 1)).left == 0
    limit = Limit.objects.get(account_id=cast.giver.pk)
    assert (limit.amount_max_minor, limit.changed_under_id) == (500, asked.pk)
    assert_books_hold()


def test_a_rejected_limit_stays_on_record_and_allows_everything(cast: Cast) -> None:
    with STAGE.as_role("admin"):
        asked = request_limit(**wish(cast, maxima=Maxima(count=1)))
    four_eyes.carry_out(asked, verdict=Verdict.REJECT)
    for _ in range(2):
        ask(cast)
    assert not Limit.objects.get(account_id=cast.giver.pk).is_in_force


def test_one_request_at_a_time_is_open_on_a_limit(cast: Cast) -> None:
    with STAGE.as_role("admin"):
        request_limit(**wish(cast))
        with pytest.raises(AlreadyAsked):
            request_limit(**wish(cast, maxima=Maxima(amount_minor=1)))
        request_limit(**wish(cast, window=W.DAYS_30))


def test_what_makes_no_sense_is_refused(cast: Cast) -> None:
    with STAGE.as_role("admin"):
        for terms in (
            {"window": W.TRANSFER, "maxima": Maxima(count=1)},
            {"maxima": Maxima(amount_minor=-1)},
        ):
            with pytest.raises(Invalid):
                request_limit(**wish(cast, **terms))
        with pytest.raises(NothingChanged):
            request_limit(**wish(cast, maxima=Maxima()))
        with pytest.raises(NotFound):
            request_limit(**wish(cast, account_id=cast.partner.pk))
    assert not Limit.objects.filter(book_id=cast.partner.book_id).exists()


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.AUDITOR, Role.COMPLIANCE_OFFICER])
def test_only_finance_asks_for_limits(cast: Cast, role: Role) -> None:
    actor = factories.colleague(role)
    with STAGE.as_role("admin"):
        with pytest.raises(NotPermitted):
            request_limit(**wish(cast, actor=actor))
        with pytest.raises(NotPermitted):
            _ask_for_partner(cast.partner, actor=actor)


def _ask_for_partner(partner: Partner, *, actor: Any) -> None:
    request_partner_limit(
        actor=actor,
        partner_id=partner.pk,
        currency="EUR",
        kind=K.ANY,
        window=W.DAY,
        maxima=Maxima(count=1),
        reason="x",
    )


def test_a_scheduled_transfer_counts_when_its_time_has_come(cast: Cast) -> None:
    factories.limit(cast.partner, window=W.DAY, amount_max_minor=5_000)
    factories.scheduled(cast, factories.order(cast.giver, to=cast.taker), ahead=timedelta(hours=2))
    assert used(cast.partner.book_id) == {}
    assert_books_hold()
