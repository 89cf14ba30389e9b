"""What the Test Bank's words mean to us: bodies in, values out. Pure.

A refusal names the field and the shape wanted, never the value.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NoReturn, cast

from audit.typeids import parse_typeid
from integrations.providers.base import Ignored, NotYet
from transactions.meanings import NotUnderstood, TransferNotice, TransferState

SLUG: Final = "testbank"
BODY_BYTES_MAX: Final = 64 * 1024
AMOUNT_MINOR_MAX: Final = 2**63 - 1
TYPE_PREFIX: Final = "payment."
WITH_A_REASON: Final = frozenset({TransferState.FAILED, TransferState.RETURNED})

_EVENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_TYPE: Final = re.compile(r"(?=.{1,64}\Z)[a-z][a-z_]*(\.[a-z_]+)*", re.ASCII)
_PAYMENT_ID: Final = re.compile(r"pay_[A-Za-z0-9]{1,60}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_INSTANT: Final = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z", re.ASCII
)


def object_of(body: bytes) -> Mapping[str, object]:
    """Return the JSON object in `body`; NotUnderstood for anything else, repeated names too."""
    if len(body) > BODY_BYTES_MAX:
        raise NotUnderstood(f"$: more than {BODY_BYTES_MAX} bytes")
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_not_json
        )
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("$: not JSON in UTF-8, each name once") from error
    if not isinstance(value, dict):
        raise NotUnderstood("$: want an object")
    return cast("dict[str, object]", value)


def identity_of(body: bytes) -> tuple[str, str]:
    """Return an event's own id and type; NotUnderstood where it has none."""
    event = object_of(body)
    return (
        _text(event, name="id", form=_EVENT_ID, wanted="an event id"),
        _text(event, name="type", form=_TYPE, wanted="a dotted lower-case name"),
    )


def notice_of_callback(body: bytes) -> TransferNotice:
    """Read a callback; NotUnderstood if malformed, Ignored for a type we do not know."""
    event = object_of(body)
    _, event_type = identity_of(body)
    states = {f"{TYPE_PREFIX}{state}": state for state in TransferState}
    if event_type not in states:
        raise Ignored(f"events of type {event_type} mean nothing to us")
    return _notice(event, state=states[event_type])


def notice_of_look_up(payment: Mapping[str, object]) -> TransferNotice:
    """Read a look-up's answer; NotUnderstood if malformed."""
    status = payment.get("status")
    if not isinstance(status, str) or status not in set(TransferState):
        raise NotUnderstood("$.status: want one of " + ", ".join(TransferState))
    return _notice(payment, state=TransferState(status))


def payment_id_of(answer: Mapping[str, object]) -> str:
    """Return the bank's name for a payment it just took; NotUnderstood without one."""
    return _text(answer, name="payment_id", form=_PAYMENT_ID, wanted="a payment id")


def code_of(answer: Mapping[str, object]) -> str:
    """Return the code of a refusal; NotUnderstood without one."""
    return _text(answer, name="code", form=_CODE, wanted="a lower-case word")


def confirm(told: TransferNotice, *, asked: TransferNotice) -> None:
    """Hold what a callback told against what the bank says when asked.

    Returns if they agree, or if the bank has since gone further. Raises NotYet while it has not
    come as far itself, and NotUnderstood where the two contradict each other.
    """
    same = ("reference", "provider_ref", "amount_minor", "currency")
    for name in same:
        if getattr(told, name) != getattr(asked, name):
            raise NotUnderstood(f"$.{name}: the bank says otherwise when asked")
    if asked.state is told.state or asked.state in _LATER[told.state]:
        return
    if told.state in _LATER[asked.state]:
        raise NotYet(f"the bank still says {asked.state} when asked")
    raise NotUnderstood(f"$.type: told {told.state}, but {asked.state} when asked")


_LATER: Final[Mapping[TransferState, frozenset[TransferState]]] = {
    TransferState.ACCEPTED: frozenset(TransferState) - {TransferState.ACCEPTED},
    TransferState.SETTLED: frozenset({TransferState.RETURNED}),
    TransferState.FAILED: frozenset(),
    TransferState.RETURNED: frozenset(),
}


def _notice(payment: Mapping[str, object], *, state: TransferState) -> TransferNotice:
    return TransferNotice(
        provider=SLUG,
        reference=_reference(payment),
        provider_ref=payment_id_of(payment),
        state=state,
        amount_minor=_amount_minor(payment),
        currency=_text(payment, name="currency", form=_CURRENCY, wanted="three capitals"),
        reason=_reason(payment, state=state),
        occurred_at=_instant(payment),
    )


def _reference(payment: Mapping[str, object]) -> str:
    """Return our own reference, which must be a transfer's TypeID."""
    reference = payment.get("reference")
    try:
        parse_typeid("trf", cast("str", reference))
    except ValueError as error:
        raise NotUnderstood("$.reference: want a transfer of ours") from error
    return cast("str", reference)


def _amount_minor(payment: Mapping[str, object]) -> int:
    amount = payment.get("amount_minor")
    if type(amount) is not int or not 0 < amount <= AMOUNT_MINOR_MAX:
        raise NotUnderstood(f"$.amount_minor: want a whole number from 1 to {AMOUNT_MINOR_MAX}")
    return amount


def _reason(payment: Mapping[str, object], *, state: TransferState) -> str | None:
    """Return the bank's code: always there for a failure or a return, and never otherwise."""
    if state in WITH_A_REASON:
        return _text(payment, name="reason", form=_CODE, wanted="a lower-case word")
    if payment.get("reason") is not None:
        raise NotUnderstood(f"$.reason: want none with {state}")
    return None


def _instant(payment: Mapping[str, object]) -> datetime:
    wanted = "an instant such as 2026-01-31T12:00:00.000Z"
    text = _text(payment, name="occurred_at", form=_INSTANT, wanted=wanted)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotUnderstood(f"$.occurred_at: want {wanted}") from error


def _text(found: Mapping[str, object], *, name: str, form: re.Pattern[str], wanted: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise NotUnderstood(f"$.{name}: want {wanted}")
    return value


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that gives a name twice: two readers could see two different amounts."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _not_json(_text: str) -> NoReturn:
    raise ValueError("not a JSON number")
