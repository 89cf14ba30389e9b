"""T16, T17, T18: the Test Bank's signatures: fixed vectors, mutations, and the window."""

import base64
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from integrations.providers.base import UNREADABLE, Forged, Genuine, Verdict
from integrations.providers.testbank.inbound import BankInbound
from integrations.providers.testbank.signature import forgery, signature_headers

# The vector of the Standard Webhooks project's own tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
AT = 1_614_265_330
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR = {
    "webhook-id": VECTOR_ID,
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
EVENT = json.dumps(
    {
        "id": "evt_1",
        "type": "payment.settled",
        "occurred_at": "2021-02-25T15:02:10.000Z",
        "payment_id": "pay_1",
        "reference": "trf_01h455vb4pex5vsknk084sn02q",
        "amount_minor": 1250,
        "currency": "EUR",
        "reason": None,
    }
).encode()
SHORT, FULL = 300, 10_000
P99_SECONDS_MAX = 0.02


def verify(
    headers: dict[str, str],
    *,
    body: bytes = EVENT,
    secrets: tuple[str, ...] = (SECRET,),
    at: float = AT,
) -> Verdict:
    now = datetime.fromtimestamp(at, tz=UTC)
    return BankInbound().verify(headers=headers, body=body, secrets=secrets, now=now)


def signed(body: bytes = EVENT, *, at: int = AT, secret: str = SECRET) -> dict[str, str]:
    return signature_headers(body, message_id="evt_1", at=at, secret=secret)


def test_t16_testbank_the_published_vector_is_genuine() -> None:
    now = datetime.fromtimestamp(AT, tz=UTC)
    assert forgery(headers=VECTOR, body=VECTOR_BODY, secrets=[SECRET], now=now) is None
    assert signature_headers(VECTOR_BODY, message_id=VECTOR_ID, at=AT, secret=SECRET) == VECTOR


def test_t16_testbank_we_sign_as_the_reference_library_does() -> None:
    moment = datetime.fromtimestamp(AT, tz=UTC)
    theirs = Webhook(SECRET).sign("evt_1", moment, EVENT.decode())
    assert signed()["webhook-signature"] == theirs


def test_a_genuine_callback_names_its_event() -> None:
    genuine = Genuine(event_id="evt_1", event_type="payment.settled")
    assert verify(signed()) == genuine
    assert verify({name.upper(): value for name, value in signed().items()}) == genuine


def test_any_of_several_secrets_and_any_of_several_signatures_will_do() -> None:
    assert isinstance(verify(signed(), secrets=(OTHER_SECRET, SECRET)), Genuine)
    assert isinstance(verify(signed(secret=OTHER_SECRET), secrets=(OTHER_SECRET, SECRET)), Genuine)
    both = signed()
    theirs = signed(secret=OTHER_SECRET)["webhook-signature"]
    both["webhook-signature"] = f"{theirs} v1a,anything {both['webhook-signature']}"
    assert isinstance(verify(both), Genuine)


@pytest.mark.parametrize(
    "secrets",
    [(), ("",), ("whsec_",), (OTHER_SECRET,), ("whsec_!!!!",), ("whsec_AAAA",), ("\udc80",)],
)
def test_without_the_right_secret_nothing_is_genuine(secrets: tuple[str, ...]) -> None:
    assert isinstance(verify(signed(), secrets=secrets), Forged)


def test_an_empty_secret_is_no_secret_though_anyone_could_sign_with_it() -> None:
    with pytest.raises(ValueError, match="not a secret"):
        signature_headers(EVENT, message_id="evt_1", at=AT, secret="whsec_")


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (-301, Forged),
        (-300, Genuine),
        (-299, Genuine),
        (0, Genuine),
        (299, Genuine),
        (300, Genuine),
        (301, Forged),
    ],
)
def test_t18_testbank_the_window_is_three_hundred_seconds_on_both_sides(
    seconds: int, verdict: type[Verdict]
) -> None:
    assert isinstance(verify(signed(), at=AT + seconds), verdict)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"id":"evt_1"}',
        b'{"id":"evt_2","type":"payment.settled"}',
        b'{"id":"evt_1","id":"evt_1","type":"payment.settled"}',
        b'{"id":"evt_1","type":"' + b"x" * 65 + b'"}',
        b"[" * 100_000,
    ],
)
def test_a_genuine_body_that_names_no_event_is_kept_as_unreadable(body: bytes) -> None:
    verdict = verify(signed(body), body=body)
    assert isinstance(verdict, Genuine)
    assert verdict.event_type == UNREADABLE
    assert verdict.event_id.startswith("sha256:")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "\x00",
        "\udcff",
        "\u0661\u0662",
        "v1",
        "v1,",
        ",",
        "v1,==",
        "v1,%%%",
        "v2,g0hM9SsE",
        "v1,a v1,b" * 200,
        "-1",
        "1e9",
        "9" * 400,
        "1614265330.0",
        "01614265330",
        "+1614265330",
        "1614265330\n",
        "a.b",
        "x" * 10_000,
    ],
)
def test_a_header_of_any_other_form_is_forged(name: str, value: str | None) -> None:
    headers = {each: told for each, told in signed().items() if each != name}
    if value is not None:
        headers[name] = value
    assert isinstance(verify(headers), Forged)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_given_twice_is_forged(name: str) -> None:
    headers = signed()
    assert isinstance(verify(headers | {name.title(): headers[name]}), Forged)


def test_an_id_cannot_borrow_from_the_text_that_follows_it() -> None:
    headers = signed()
    headers["webhook-id"] = f"evt_1.{AT}"
    assert isinstance(verify(headers), Forged)


def _mutated_text(text: str, *, by: random.Random) -> str:
    """Change, add, take away or repeat a character, at any place."""
    place = by.randrange(len(text) + 1)
    character = by.choice(
        ["", " ", ",", "=", ".", "\n", "\x00", "\xe9", "\udc80", chr(by.randrange(33, 127))]
    )
    kept = text[place + by.choice([0, 1]) :]
    return by.choice([text[:place] + character + kept, text[:place], text[place:], text * 2])


def _mutated_body(body: bytes, *, by: random.Random) -> bytes:
    """Flip a bit, cut, add, or change one byte."""
    place = by.randrange(len(body))
    flipped = bytes([body[place] ^ (1 << by.randrange(8))])
    return by.choice(
        [
            body[:place] + flipped + body[place + 1 :],
            body[:place],
            body + bytes([by.randrange(256)]),
            body[:place] + bytes([by.randrange(256)]) + body[place:],
        ]
    )


def _mutations(count: int) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield so many callbacks that differ from a genuine one, the same in every run."""
    by = random.Random(17)  # noqa: S311 - the same mutations in every run
    while count:
        headers, body = signed(), EVENT
        name = by.choice(list(headers))
        match by.randrange(6):
            case 0:
                body = _mutated_body(body, by=by)
            case 1:
                headers.pop(name)
            case 2:
                headers |= {name.upper(): by.choice(list(headers.values()))}
            case 3:
                headers[name] = by.choice([*headers.values(), *VECTOR.values()])
            case _:
                headers[name] = _mutated_text(headers[name], by=by)
        if (headers, body) != (signed(), EVENT):
            count -= 1
            yield headers, body


def nothing_mutated_is_genuine(count: int) -> None:
    times: list[float] = []
    for headers, body in _mutations(count):
        started = time.perf_counter()
        verdict = verify(headers, body=body)
        times.append(time.perf_counter() - started)
        assert isinstance(verdict, Forged), (headers, body)
    assert len(times) == count
    assert sorted(times)[int(count * 0.99)] < P99_SECONDS_MAX


def test_t17_testbank_no_mutation_is_genuine() -> None:
    nothing_mutated_is_genuine(SHORT)


@pytest.mark.full
def test_t17_testbank_no_mutation_is_genuine_in_full() -> None:
    nothing_mutated_is_genuine(FULL)


def test_t17_testbank_control_the_unmutated_callback_is_genuine() -> None:
    assert isinstance(verify(signed()), Genuine)
