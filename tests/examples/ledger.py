"""The examples of docs/LEDGER.md: one small function each, which acts and so says what it did.

To add one: write its function here under `@example`, put two marks with its name into the
document, and run `make examples`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.utils import timezone

from accounts.roles import Role
from audit.typeids import uuid7
from tests import factories
from tests.examples.scene import Scene
from tests.factories import FOUNDER, SYSTEM, colleague, origin, provider
from transactions.meanings import MovementKind
from transactions.models import Hold, Transfer
from transactions.money import Money
from transactions.orders import HoldOrder
from transactions.proposals import Allocation, ManualJournal, Move
from transactions.services.batches import carry_out_batch, request_batch
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    return_transfer,
    settle_transfer,
)
from transactions.services.holds import capture_hold, create_hold, expire_hold, void_hold
from transactions.services.imports import import_opening
from transactions.services.journals import post_manual_journal, propose_manual_journal
from transactions.services.movements import book_movement
from transactions.services.reversals import reverse_transfer
from transactions.services.suspense import allocate_suspense, propose_allocation
from transactions.services.transfers import request_transfer

Example = Callable[[Scene], None]
EXAMPLES: Final[dict[str, Example]] = {}


def example(play: Example) -> Example:
    """Let the document's block of this name say what `play` does."""
    EXAMPLES[play.__name__] = play
    return play


# -- money in ---------------------------------------------------------------------------------


@example
def opening(scene: Scene) -> None:
    """An account brings its balance from former books."""
    taker, long_ago = scene.company.taker, timezone.now() - timedelta(days=100)
    scene.act(
        "The taker brings 30.00 from its former books.",
        lambda: import_opening(
            actor=FOUNDER, account=taker, amount_minor=30_00, occurred_at=long_ago
        ),
    )


@example
def funding(scene: Scene) -> None:
    """A payer pays, part of it is given back, and the provider pays out what it holds for us."""
    paid = factories.charge(scene.company.giver, amount_minor=50_00, fee_minor=1_00)
    scene.act("A payer pays 50.00; the provider keeps 1.00.", lambda: _book(paid))
    back = factories.after(paid, kind=MovementKind.REFUND, amount_minor=-20_00)
    scene.act("20.00 of it are given back to the payer.", lambda: _book(back))
    out = factories.charge(
        None,
        kind=MovementKind.PAYOUT,
        amount_minor=-29_00,
        fee_minor=0,
        account_id=None,
        payment_ref=None,
    )
    scene.act("The provider pays 29.00 out to our bank account.", lambda: _book(out))


@example
def shortfall(scene: Scene) -> None:
    """The world takes more than is there."""
    paid = factories.charge(scene.company.taker, amount_minor=50_00, fee_minor=0)
    scene.act("A payer pays 50.00.", lambda: _book(paid))
    scene.act("40.00 move on.", lambda: _move(scene, minor=40_00, is_back=True))
    disputed = factories.after(paid, kind=MovementKind.DISPUTE, amount_minor=-50_00)
    scene.act("The payer objects, and the provider takes 50.00 back.", lambda: _book(disputed))


def _book(movement: object) -> None:
    book_movement(actor=provider(), movement=movement)  # type: ignore[arg-type]


# -- transfers inside -------------------------------------------------------------------------


@example
def internal_transfer(scene: Scene) -> None:
    """Money moves between two accounts of a book."""
    scene.act("10.00 move to another account.", lambda: _move(scene, minor=10_00))


@example
def reversal(scene: Scene) -> None:
    """All of a transfer is taken back at once."""
    done = scene.act("10.00 move to another account.", lambda: _move(scene, minor=10_00))
    scene.act("All of it is taken back.", lambda: _take_back(scene, done))


@example
def reversal_in_parts(scene: Scene) -> None:
    """A transfer is taken back in two parts that are all of it."""
    done = scene.act("10.00 move to another account.", lambda: _move(scene, minor=10_00))
    scene.act("3.00 of it are taken back.", lambda: _take_back(scene, done, minor=3_00))
    scene.act("The rest is taken back.", lambda: _take_back(scene, done))


@example
def batch(scene: Scene) -> None:
    """Two transfers of one batch: the second spends what the first brought."""
    company = scene.company
    orders = [
        factories.order(company.giver, to=company.taker, amount_minor=60_00),
        factories.order(company.taker, to=company.giver, amount_minor=15_00),
    ]
    asked = scene.act(
        "Two transfers are asked for at once.",
        lambda: request_batch(
            actor=company.actor,
            orders=[factories.keyed(each) for each in orders],
            is_atomic=True,
            reference="",
            key_scope=factories.key_scope(company),
            origin=origin(),
        ),
    )
    asker = company.actor.holding("transactions.carry_out_batch")
    scene.act(
        "The worker carries them out.", lambda: carry_out_batch(actor=asker, batch_id=asked.pk)
    )


def _move(scene: Scene, *, minor: int, is_back: bool = False) -> Transfer:
    giver, taker = scene.company.giver, scene.company.taker
    source, to = (taker, giver) if is_back else (giver, taker)
    order = factories.order(source, to=to, amount_minor=minor)
    return request_transfer(actor=scene.company.actor, order=order, origin=origin())


def _take_back(scene: Scene, done: Transfer, *, minor: int | None = None) -> Transfer:
    return reverse_transfer(
        actor=scene.company.actor,
        transfer_id=done.pk,
        origin=origin(),
        reason="sent twice",
        amount_minor=minor,
    )


# -- payouts ----------------------------------------------------------------------------------


@example
def payout(scene: Scene) -> None:
    """A payout is reserved, sent, settled, and comes back days later."""
    asked = _ask_for_payout(scene)
    scene.act("The worker claims it and sends it.", lambda: claim_transfer(actor=SYSTEM))
    bank, now = provider("testbank"), timezone.now()
    scene.act(
        "The bank says that it has paid.",
        lambda: settle_transfer(
            actor=bank, transfer_id=asked.pk, provider_ref="pay_1", occurred_at=now
        ),
    )
    scene.act(
        "The payee's bank sends it back.",
        lambda: return_transfer(
            actor=bank, transfer_id=asked.pk, reason="account_closed", occurred_at=now
        ),
    )


@example
def payout_refused(scene: Scene) -> None:
    """A payout that the bank refuses: nothing was ever posted."""
    asked = _ask_for_payout(scene)
    scene.act("The worker claims it and sends it.", lambda: claim_transfer(actor=SYSTEM))
    scene.act(
        "The bank refuses it.",
        lambda: fail_transfer(
            actor=provider("testbank"),
            transfer_id=asked.pk,
            reason="account_closed",
            occurred_at=timezone.now(),
        ),
    )


def _ask_for_payout(scene: Scene) -> Transfer:
    factories.nothing_waits()
    order = factories.order(scene.company.giver, amount_minor=10_00)
    return scene.act(
        "A payout of 10.00 is accepted.",
        lambda: request_transfer(actor=scene.company.actor, order=order, origin=origin()),
    )


# -- holds ------------------------------------------------------------------------------------


@example
def hold_captured(scene: Scene) -> None:
    """Money is set aside and captured in two parts; what the last one leaves is free again."""
    hold = _hold(scene)
    scene.act("4.00 of it are captured.", lambda: _capture(scene, hold, minor=4_00))
    scene.act(
        "5.00 are captured, and that is all.",
        lambda: _capture(scene, hold, minor=5_00, is_final=True),
    )


@example
def hold_voided(scene: Scene) -> None:
    """Money is set aside and given back."""
    hold = _hold(scene)
    scene.act("It is voided.", lambda: void_hold(actor=scene.company.actor, hold_id=hold.pk))


@example
def hold_expired(scene: Scene) -> None:
    """Money is set aside until its time is up."""
    hold = scene.act(
        "10.00 are set aside for a moment.", lambda: factories.expired_hold(scene.company)
    )
    scene.act("Its time is up.", lambda: expire_hold(actor=SYSTEM, hold_id=hold.pk))


def _capture(scene: Scene, hold: Hold, *, minor: int, is_final: bool = False) -> None:
    capture_hold(
        actor=scene.company.actor,
        hold_id=hold.pk,
        origin=origin(),
        amount_minor=minor,
        is_final=is_final,
    )


def _hold(scene: Scene) -> Hold:
    company = scene.company
    order = HoldOrder(
        source_id=company.giver.pk,
        destination_id=company.taker.pk,
        money=Money(10_00, "EUR"),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return scene.act(
        "10.00 are set aside.",
        lambda: create_hold(actor=company.actor, order=order, origin=origin()),
    )


# -- what finance does by hand ----------------------------------------------------------------


@example
def manual_journal(scene: Scene) -> None:
    """Two people correct what was booked on the wrong account."""
    company = scene.company
    journal = ManualJournal(
        id=uuid7(),
        book_id=company.partner.book_id,
        moves=[
            Move(account_id=company.giver.pk, amount_minor=-25_00),
            Move(account_id=company.taker.pk, amount_minor=25_00),
        ],
        reason="booked on the wrong account",
        evidence="FIN-17",
    )
    finance = colleague(Role.FINANCE_OPERATOR)
    asked = scene.act(
        "Finance proposes to move 25.00.",
        lambda: propose_manual_journal(actor=finance, journal=journal),
    )
    scene.act("A second person approves it.", lambda: factories.signed(asked.approval))
    scene.act(
        "The Clerk carries it out.",
        lambda: post_manual_journal(actor=SYSTEM, approval_id=asked.approval_id),
    )


@example
def suspense_allocation(scene: Scene) -> None:
    """Money whose owner nobody knew goes to its owner, from the house's book into another."""
    stray = factories.charge(None, amount_minor=120_00, fee_minor=0)
    scene.act("A payer pays 120.00, and nobody knows for whom.", lambda: _book(stray))
    allocation = Allocation(
        id=uuid7(),
        posting_id=factories.suspense_of(stray).id,
        account_id=scene.company.taker.pk,
        amount_minor=120_00,
        reason="the payer called",
    )
    finance = colleague(Role.FINANCE_OPERATOR)
    asked = scene.act(
        "Finance proposes whose it is.",
        lambda: propose_allocation(actor=finance, allocation=allocation),
    )
    scene.act("A second person approves it.", lambda: factories.signed(asked.approval))
    scene.act(
        "The Clerk carries it out, through inter-book clearing.",
        lambda: allocate_suspense(actor=SYSTEM, approval_id=asked.approval_id),
    )
