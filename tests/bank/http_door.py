"""The bank through its HTTP API, as a partner's machine calls it."""

import http.client
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from accounts.services.clients import RegisteredClient
from audit.typeids import parse_typeid, typeid
from tests.bank.history import Answer, Asked
from tests.bank.operations import Refused, Unsure
from tests.bank.service_door import PAYEE, ServiceDoor

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
PATIENCE_SECONDS: Final = 30.0
BUSY: Final = frozenset({"key_in_flight", "unavailable"})


class FaultShown(AssertionError):
    """A caller was shown a fault of ours: a 5xx that is not 503."""


@dataclass(frozen=True, slots=True)
class Served:
    """One answer: when it came, how long it took and its status; 0 where the line broke."""

    at: float
    seconds: float
    status: int


@dataclass
class HttpDoor:
    """One client's way in. It reads totals beside the API, which shows no single instant."""

    port: int
    token: str
    reader: ServiceDoor
    served: list[Served] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have one line a thread."""
        self._local = threading.local()

    def ask(self, order: Asked, *, key: str, reference: str) -> Answer:
        """Ask for a transfer or a payout under a key."""
        body: dict[str, Any] = {
            "kind": "internal" if order.destination else "payout",
            "source_account": typeid("acc", UUID(order.source)),
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "reference": reference,
        }
        if order.destination:
            body["destination_account"] = typeid("acc", UUID(order.destination))
        else:
            body["destination"] = {"name": PAYEE.name, "iban": PAYEE.iban}
        return self._post("/v1/transfers", body=body, key=key)

    def cancel(self, transfer: str, *, key: str) -> Answer:
        """Call a payout off under a key."""
        path = f"/v1/transfers/{typeid('trf', UUID(transfer))}/cancel"
        return self._post(path, body={}, key=key)

    def read(self) -> Answer:
        """Read every balance at one instant."""
        return self.reader.read()

    def leave(self) -> None:
        """Hang up."""
        self.reader.leave()
        self._hang_up()

    def _post(self, path: str, *, body: dict[str, Any], key: str) -> Answer:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": f"bank-operation-{key}",
            "Content-Type": "application/json",
        }
        status, shown, names = self._call(path, json.dumps(body), headers=headers)
        if status >= HTTPStatus.BAD_REQUEST:
            if shown["code"] in BUSY:
                raise Unsure
            raise Refused(shown["code"])
        return Answer(
            transfer=str(parse_typeid("trf", shown["id"])),
            is_known="idempotent-replayed" in names,
        )

    def _call(
        self, path: str, body: str, *, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], set[str]]:
        """Send one request; Unsure where no answer came, FaultShown for a fault of ours."""
        began, status = time.monotonic(), 0
        try:
            line = self._line()
            line.request("POST", path, body=body, headers=headers)
            answer = line.getresponse()
            status, shown = answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            raise Unsure from error
        finally:
            ended = time.monotonic()
            self.served.append(Served(ended, ended - began, status))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise FaultShown(f"{path}: {status} {shown}")
        return status, shown, {name.lower() for name in answer.headers}

    def _line(self) -> http.client.HTTPConnection:
        line: http.client.HTTPConnection | None = getattr(self._local, "line", None)
        if line is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
            self._local.line = line
        return line

    def _hang_up(self) -> None:
        if line := getattr(self._local, "line", None):
            with suppress(OSError):
                line.close()
            self._local.line = None


def token_for(client: RegisteredClient, *, port: int, scope: str) -> str:
    """Return an access token, as the partner's machine asks for it."""
    fields = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_id": client.client_id,
        "client_secret": client.secret,
    }
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        line.request("POST", "/v1/oauth/token", body=urlencode(fields), headers=FORM)
        answer = json.loads(line.getresponse().read())
    finally:
        line.close()
    token: str = answer["access_token"]
    return token
