"""One small scene: a partner with money, payouts in line, and callbacks in the inbox."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from accounts.keys import route_scope
from accounts.models import Account, Partner
from accounts.roles import FOUNDER_GRANTS, PROVIDER_GRANTS, ROLES, SCOPES, Role, scope_grants
from accounts.services.approvals import decide_approval
from accounts.services.partners import onboard_partner, open_portfolio
from accounts.states import Verdict
from audit.actors import Actor, ActorKind
from audit.typeids import typeid, uuid7
from config.sandbox.stories import Delivery, build
from transactions.meanings import Movement, MovementKind
from transactions.models import Transfer, TransferBatch
from transactions.money import Money
from transactions.orders import Payee, TransferOrder
from transactions.services.batches import request_batch
from transactions.services.books import open_book, open_house, set_up_account
from transactions.services.items import KeyedOrder
from transactions.services.movements import book_movement
from transactions.services.transfers import request_transfer

THRESHOLD_MINOR = 10_000
OPENING_MINOR = 1_000_000
IBAN = "DE89370400440532013000"

FOUNDER = Actor(
    kind=ActorKind.SYSTEM,
    id="founder",
    label="Founder",
    credential="console",
    grants=FOUNDER_GRANTS,
)
STRIPE = Actor(
    kind=ActorKind.PROVIDER,
    id="stripe",
    label="Stripe",
    credential="callback",
    grants=PROVIDER_GRANTS,
)


@dataclass(frozen=True)
class Scene:
    """Who is there."""

    partner: Partner
    account: Account
    second: Account

    @property
    def client(self) -> Actor:
        """Return the partner's machine."""
        return Actor(
            kind=ActorKind.PARTNER,
            id=f"client-{self.partner.slug}",
            label=self.partner.name,
            credential="token",
            grants=scope_grants(frozenset(SCOPES)),
            partner_id=self.partner.pk,
            book_id=self.partner.book_id,
        )


def set_the_scene() -> Scene:
    """Build the scene, as the migrator."""
    open_house(actor=FOUNDER)
    partner = onboard_partner(
        actor=FOUNDER, name="Acme", slug="acme", approval_threshold_minor=THRESHOLD_MINOR
    )
    open_book(actor=FOUNDER, partner=partner)
    portfolio = open_portfolio(actor=FOUNDER, partner=partner, name="Retail")
    main, second = (
        set_up_account(
            actor=FOUNDER, portfolio=portfolio, name=name, currency="EUR", alias=f"acme-{name}"
        )
        for name in ("main", "second")
    )
    book_movement(actor=STRIPE, movement=opening_charge(OPENING_MINOR, account_id=main.pk))
    return Scene(partner=partner, account=main, second=second)


def opening_charge(amount_minor: int, *, account_id: UUID | None) -> Movement:
    """Return the payment that the scene's money came from, as Stripe tells it."""
    return Movement(
        provider="stripe",
        reference="txn_opening",
        kind=MovementKind.CHARGE,
        amount_minor=amount_minor,
        fee_minor=0,
        currency="EUR",
        occurred_at=timezone.now(),
        payment_ref="ch_opening",
        subject_ref="ch",
        account_id=account_id,
    )


def ask_payout(scene: Scene, *, amount_minor: int, name: str = "Ada Example") -> Transfer:
    """Ask for a payout as the partner does."""
    order = TransferOrder(
        source_id=scene.account.pk,
        payee=Payee(name=name, iban=IBAN),
        money=Money(amount_minor, "EUR"),
        reference="salary",
    )
    return request_transfer(actor=scene.client, order=order, origin=f"test:{uuid7()}")


def ask_batch(scene: Scene, *, items: int, is_atomic: bool = False) -> TransferBatch:
    """Ask for a batch between the scene's two accounts, its last item a payout."""
    orders = [
        TransferOrder(
            source_id=scene.account.pk,
            destination_id=scene.second.pk if number < items else None,
            payee=None if number < items else Payee(name="Ada Example", iban=IBAN),
            money=Money(number, "EUR"),
        )
        for number in range(1, items + 1)
    ]
    return request_batch(
        actor=scene.client,
        orders=[
            KeyedOrder(order=order, key_hash=uuid7().bytes * 2, fingerprint=b"f" * 32)
            for order in orders
        ],
        is_atomic=is_atomic,
        reference="wages",
        key_scope=route_scope(scene.client, method="POST", path="/v1/transfers"),
        origin=f"test:{uuid7()}",
    )


def approve(transfer: Transfer) -> None:
    """Approve a payout as an officer who did not ask for it."""
    officer = Actor(
        kind=ActorKind.STAFF,
        id=str(uuid7()),
        label="Olga Officer",
        credential="session",
        grants=ROLES[Role.COMPLIANCE_OFFICER],
        person_id=uuid7(),
    )
    assert transfer.approval is not None
    decide_approval(
        actor=officer,
        approval_id=transfer.approval.pk,
        verdict=Verdict.APPROVE,
        reason="known payee",
        shown_hash=transfer.approval.payload_hash,
    )


def tell_stories(scene: Scene, *names: str, seed: str = "t02") -> list[Delivery]:
    """Return the callbacks of these stories about the scene's account."""
    return [
        delivery
        for name in names
        for delivery in build(
            name, seed=seed, account=typeid("acc", scene.account.pk), now=timezone.now()
        ).deliveries
        if not delivery.is_refused
    ]
