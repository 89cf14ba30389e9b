"""A make-believe merchant at Stripe: it sells, refunds and quarrels, and all of it is consistent.

Each act changes the objects that Stripe's API would show, notes what must be booked, and may be
told as an event. Ids, amounts and dates follow from the seed alone.
"""

import copy
import hashlib
import json
from datetime import datetime, timedelta

from config.sandbox.stories.telling import Booked, Delivery, Ending, Fate, Json, event_id_of
from config.sandbox.stories.templates import Templates
from transactions.meanings import DisputeState, MovementKind, PaymentState, PayoutState

PERIOD = timedelta(hours=3)


class Shop:
    """One merchant on one day. `account` is ours, named in metadata; None where it was not."""

    def __init__(
        self,
        *,
        seed: str,
        account: str | None,
        now: datetime,
        currency: str,
        templates: Templates,
    ) -> None:
        """Open three hours before `now`."""
        self.seed, self.account, self.currency = seed, account, currency
        self.templates = templates
        self.sent_at = int(now.timestamp())
        self.clock = int((now - PERIOD).timestamp())
        self.objects: dict[str, Json] = {}
        self.booked: list[Booked] = []
        self.payments: dict[str, tuple[PaymentState, int]] = {}
        self.disputes: dict[str, DisputeState] = {}
        self.payouts: dict[str, PayoutState] = {}
        self.deliveries: list[Delivery] = []
        self._drawn = 0

    # -- the dice -------------------------------------------------------------------------

    def draw(self) -> int:
        """Return the seed's next large number."""
        self._drawn += 1
        return int(hashlib.sha256(f"{self.seed}/{self._drawn}".encode()).hexdigest(), 16)

    def ref(self, prefix: str) -> str:
        """Return a fresh id such as Stripe makes."""
        return f"{prefix}_3Demo{self.draw():064x}"[: len(prefix) + 25]

    def amount(self) -> int:
        """Return a price in minor units."""
        return 5_000 + self.draw() % 20_000

    def wait(self, *, seconds: int = 60) -> int:
        """Let time pass; return the instant reached."""
        self.clock += seconds
        return self.clock

    # -- the acts -------------------------------------------------------------------------

    def charge(self, *, amount: int | None = None) -> Json:
        """Sell something: a payment intent that succeeds at once, its charge, its money."""
        price = self.amount() if amount is None else amount
        charge = self.templates.object_of("charge.succeeded") | {
            "id": self.ref("ch"),
            "payment_intent": self.ref("pi"),
            "amount": price,
            "amount_captured": price,
            "amount_refunded": 0,
            "refunded": False,
            "created": self.wait(),
            "currency": self.currency,
            "metadata": self._metadata(),
        }
        charge["refunds"] = {"object": "list", "data": [], "has_more": False}
        fee = price * 29 // 1_000 + 30
        charge["balance_transaction"] = self._move(
            MovementKind.CHARGE, amount=price, fee=fee, source=charge["id"], type_="charge"
        )
        self.objects[charge["id"]] = charge
        self.payments[charge["id"]] = (PaymentState.SUCCEEDED, 0)
        return charge

    def intent(self, charge: Json, *, event_type: str) -> Json:
        """Return the payment intent behind `charge` as `event_type` carries it."""
        done = event_type == "payment_intent.succeeded"
        intent = self.templates.object_of(event_type) | {
            "id": charge["payment_intent"],
            "amount": charge["amount"],
            "amount_received": charge["amount"] if done else 0,
            "created": charge["created"] - 5,
            "currency": self.currency,
            "latest_charge": charge["id"] if done else None,
            "metadata": self._metadata(),
            "status": "succeeded" if done else "requires_payment_method",
        }
        intent.pop("charges", None)
        return intent

    def refund(self, charge: Json, *, amount: int) -> Json:
        """Give some of a charge back."""
        created = self.wait()
        refund = self.templates.object_of("charge.refund.updated") | {
            "id": self.ref("re"),
            "charge": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": amount,
            "created": created,
            "currency": self.currency,
            "status": "succeeded",
        }
        refund["balance_transaction"] = self._move(
            MovementKind.REFUND, amount=-amount, fee=0, source=refund["id"], type_="refund"
        )
        charge["refunds"]["data"].insert(0, refund)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.payments[charge["id"]] = (PaymentState.SUCCEEDED, charge["amount_refunded"])
        return refund

    def dispute(self, charge: Json) -> Json:
        """Have a payer object to a charge. Moves nothing yet."""
        charge["disputed"] = True
        dispute = self.templates.object_of("charge.dispute.created") | {
            "id": self.ref("du"),
            "charge": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": charge["amount"],
            "balance_transactions": [],
            "created": self.wait(),
            "currency": self.currency,
            "status": "needs_response",
        }
        self.disputes[dispute["id"]] = DisputeState.NEEDS_RESPONSE
        return dispute

    def withdraw(self, dispute: Json, *, fee: int = 1_500) -> None:
        """Take a dispute's money, and a fee for the trouble."""
        self._move_dispute(MovementKind.DISPUTE, dispute, amount=-dispute["amount"], fee=fee)

    def reinstate(self, dispute: Json, *, fee: int = 1_500) -> None:
        """Give a dispute's money and its fee back."""
        self._move_dispute(
            MovementKind.DISPUTE_REVERSAL, dispute, amount=dispute["amount"], fee=-fee
        )

    def close(self, dispute: Json, *, state: DisputeState) -> None:
        """End a dispute."""
        dispute["status"] = state.value
        self.disputes[dispute["id"]] = state

    def payout(self) -> Json:
        """Send some of the balance to the bank."""
        amount, created = self.amount(), self.wait()
        payout = self.templates.object_of("payout.paid") | {
            "id": self.ref("po"),
            "amount": amount,
            "arrival_date": created + 86_400,
            "created": created,
            "currency": self.currency,
            "failure_balance_transaction": None,
            "failure_code": None,
            "metadata": self._metadata(),
            "status": "paid",
        }
        payout["balance_transaction"] = self._move(
            MovementKind.PAYOUT, amount=-amount, fee=0, source=payout["id"], type_="payout"
        )
        self.payouts[payout["id"]] = PayoutState.PAID
        return payout

    def bounce(self, payout: Json) -> None:
        """Have the bank send a payout back, days after it was paid."""
        self.wait(seconds=600)
        payout["status"], payout["failure_code"] = "failed", "account_closed"
        payout["failure_balance_transaction"] = self._move(
            MovementKind.PAYOUT_FAILURE,
            amount=payout["amount"],
            fee=0,
            source=payout["id"],
            type_="payout_failure",
        )
        self.payouts[payout["id"]] = PayoutState.FAILED

    # -- the telling ----------------------------------------------------------------------

    def event(self, event_type: str, subject: Json) -> Json:
        """Return an event of `event_type` about `subject` as it stands."""
        envelope = self.templates.event(event_type)
        envelope |= {
            "id": self.ref("evt"),
            "type": event_type,
            "created": self.wait(seconds=2),
            "data": {"object": copy.deepcopy(subject)},
        }
        return envelope

    def tell(self, event_type: str, subject: Json) -> Delivery:
        """Deliver an event about `subject`, with what Stripe's API knows by now."""
        return self.post(self.event(event_type, subject))

    def post(self, event: Json, *, body: bytes | None = None) -> Delivery:
        """Deliver `event`, or `body` in its stead."""
        text = json.dumps(event, separators=(",", ":")).encode() if body is None else body
        self.objects[event["id"]] = copy.deepcopy(event)
        delivery = Delivery(
            event_id=event["id"] if body is None else event_id_of(text),
            event_type=event["type"],
            body=text,
            sent_at=self.sent_at,
            objects=tuple(copy.deepcopy(list(self.objects.values()))),
        )
        self.deliveries.append(delivery)
        return delivery

    def ending(self, **fates: Fate) -> Ending:
        """Return how all of it must end: each event processed unless `fates` says otherwise."""
        told = {each.event_id: Fate.PROCESSED for each in self.deliveries if not each.is_refused}
        return Ending(
            booked=tuple(self.booked),
            payments=dict(self.payments),
            disputes=dict(self.disputes),
            payouts=dict(self.payouts),
            fates=told | fates,
        )

    # -- inside ---------------------------------------------------------------------------

    def _metadata(self) -> dict[str, str]:
        return {} if self.account is None else {"countersign_account": self.account}

    def _move(self, kind: MovementKind, *, amount: int, fee: int, source: str, type_: str) -> str:
        """Have a balance transaction at Stripe, and expect the journal it must become."""
        moved = self.templates.balance_transaction() | {
            "id": self.ref("txn"),
            "amount": amount,
            "available_on": self.clock + 172_800,
            "created": self.clock,
            "currency": self.currency,
            "fee": fee,
            "net": amount - fee,
            "reporting_category": type_,
            "source": source,
            "type": type_,
        }
        self.objects[moved["id"]] = moved
        self.booked.append(
            Booked(
                origin=f"stripe:{moved['id']}",
                kind=kind,
                amount_minor=amount,
                fee_minor=fee,
                currency=self.currency.upper(),
                is_suspended=self.account is None,
            )
        )
        return str(moved["id"])

    def _move_dispute(self, kind: MovementKind, dispute: Json, *, amount: int, fee: int) -> None:
        self.wait()
        moved = self._move(kind, amount=amount, fee=fee, source=dispute["id"], type_="adjustment")
        dispute["balance_transactions"].append(copy.deepcopy(self.objects[moved]))
