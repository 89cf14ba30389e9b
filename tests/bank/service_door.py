"""The bank through the real commands, with the front desk's real keys, as the runtime logins.

Every client has two lines: the API's login, and the worker's for what only a worker does.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from accounts.frontdesk.idempotency import answer_once
from accounts.frontdesk.parsing import ExactJsonParser
from audit.errors import Refusal
from audit.typeids import parse_typeid
from tests.bank.history import Answer, Asked
from tests.bank.operations import Refused, Unsure
from tests.bank.world import PROVIDER, WORKER, World, read_totals
from tests.logins import Lines
from transactions.api.transfers import CANCEL, CREATE
from transactions.errors import NothingChanged
from transactions.money import Money
from transactions.orders import Payee, TransferOrder
from transactions.services.dispatching import claim_transfer, return_transfer, settle_transfer
from transactions.services.transfers import cancel_transfer, request_transfer

PAYEE: Final = Payee(name="Ada Example", iban="DE89370400440532013000")
CONNECT_SECONDS_MAX: Final = 30.0
RETRY_SECONDS: Final = 0.02
BUSY: Final = frozenset({"key_in_flight"})
STATUS_REFUSED: Final = 400


@dataclass
class ServiceDoor:
    """One client's way in, over lines that may lead through something before the server."""

    world: World
    lines: Lines

    def ask(self, order: Asked, *, key: str, reference: str) -> Answer:
        """Ask for a transfer or a payout under a key."""
        wanted = TransferOrder(
            source_id=UUID(order.source),
            destination_id=UUID(order.destination) if order.destination else None,
            payee=None if order.destination else PAYEE,
            money=Money(order.amount_minor, order.currency),
            reference=reference,
        )
        actor = self.world.client
        body = {"amount_minor": order.amount_minor, "from": order.source, "to": order.destination}
        with self.signed_in("api"):
            response = answer_once(
                keyed_request(CREATE.path, key=key, body=body),
                actor=actor,
                route=CREATE,
                act=lambda call: request_transfer(
                    actor=actor, order=wanted, origin=call.origin, **call.once
                ),
            )
        return _answered(response)

    def cancel(self, transfer: str, *, key: str) -> Answer:
        """Call a payout off under a key."""
        actor = self.world.client
        path = CANCEL.path.replace("{id}", transfer)
        with self.signed_in("api"):
            response = answer_once(
                keyed_request(path, key=key, body={}),
                actor=actor,
                route=CANCEL,
                act=lambda call: cancel_transfer(
                    actor=actor, transfer_id=UUID(transfer), **call.once
                ),
            )
        return _answered(response)

    def claim(self) -> str:
        """Claim the oldest payout that waits; '' where none does or nobody knows."""
        with suppress(Refused, Unsure), self.signed_in("worker"):
            return str(claim_transfer(actor=WORKER).pk)
        return ""

    def settle(self, transfer: str) -> Answer:
        """Book a payout as paid. It has no key: its journal's origin makes it once."""
        with self.signed_in("worker"), _known_is_done():
            settle_transfer(
                actor=PROVIDER,
                transfer_id=UUID(transfer),
                provider_ref=f"pay-{transfer}",
                occurred_at=timezone.now(),
            )
            return Answer(transfer=transfer)
        return Answer(transfer=transfer, is_known=True)

    def give_back(self, transfer: str) -> Answer:
        """Book a payout as come back, which undoes its journal once."""
        with self.signed_in("worker"), _known_is_done():
            return_transfer(
                actor=PROVIDER,
                transfer_id=UUID(transfer),
                reason="returned_by_beneficiary",
                occurred_at=timezone.now(),
            )
            return Answer(transfer=transfer)
        return Answer(transfer=transfer, is_known=True)

    def read(self) -> Answer:
        """Read every balance in one statement, which is one instant."""
        with self.signed_in("api"):
            totals, least = read_totals(self.world)
        return Answer(totals=totals, least_minor=least)

    @contextmanager
    def signed_in(self, role: str) -> Iterator[None]:
        """Work on this thread's line of a login; connected before anything is sent."""
        with self.lines.signed_in(role) as line:
            try:
                _connect(line)
                yield
            except Refusal as said:
                if said.code in BUSY:
                    raise Unsure from said
                raise Refused(said.code) from said
            except (OperationalError, InterfaceError) as error:
                line.close()
                raise Unsure from error

    def leave(self) -> None:
        """Close this thread's lines."""
        self.lines.leave()


def keyed_request(path: str, *, key: str, body: dict[str, object]) -> Request:
    """Return a call as the front desk sees it."""
    made = RequestFactory().post(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": f"bank-operation-{key}"},
    )
    return Request(made, parsers=[ExactJsonParser()])


def _connect(line: BaseDatabaseWrapper) -> None:
    """Wait for the server: what was never sent is no operation."""
    end = time.monotonic() + CONNECT_SECONDS_MAX
    while True:
        try:
            line.ensure_connection()
        except (OperationalError, InterfaceError):
            line.close()
            if time.monotonic() > end:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


@contextmanager
def _known_is_done() -> Iterator[None]:
    """Take "nothing changed" for what it says: it was done before."""
    with suppress(NothingChanged):
        yield


def _answered(response: HttpResponse) -> Answer:
    """Read the front desk's answer; Refused where a kept refusal was shown again."""
    body = json.loads(response.content)
    if response.status_code >= STATUS_REFUSED:
        raise Refused(body["code"])
    is_known = "Idempotent-Replayed" in response
    return Answer(transfer=str(parse_typeid("trf", body["id"])), is_known=is_known)
