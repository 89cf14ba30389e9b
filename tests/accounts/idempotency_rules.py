"""The twenty rules of idempotency keys, and the cases that hold us to them."""

from typing import Final

from django.db import OperationalError

from tests.accounts.exchanges import Ask, Row
from tests.accounts.key_cases import (
    CANCEL,
    LOOK_UP,
    again,
    bad_keys,
    not_stored,
    once,
    other_requests,
    quoted,
    refused,
    same_requests,
)
from tests.accounts.key_moments import (
    died,
    failing,
    held,
    swapped,
    three_days_later,
    too_long,
    unlocked,
)

# A rule without a case here, and why: what it speaks of is built elsewhere or held elsewhere.
ELSEWHERE: Final[dict[int, str]] = {
    17: "keys of a batch's items: tests/races/test_batch_keys.py",
    18: "nothing calls from outside: tests/races and tests/integrations hold it",
    19: "what a crash leaves of a batch: tests/faults/test_recovery.py",
}
LATE: Final = refused(409, "already_processed", during=three_days_later)
RICHER: Final = {"amount_minor": 10**15}
TABLE: Final[tuple[Row, ...]] = (
    Row(rule=1, what="no key", asks=(refused(400, "key_required", key=None),), made=0),
    Row(
        rule=1,
        what="no key to call a transfer off",
        asks=(once(), refused(400, "key_required", key=None, path=CANCEL)),
    ),
    Row(
        rule=1,
        what="an empty key",
        asks=(refused(400, "key_required", spell=lambda _: ""),),
        made=0,
    ),
    Row(rule=2, what="16 characters are a key", asks=(once(spell=lambda key: key[:16]),)),
    Row(
        rule=2,
        what="255 characters are a key",
        asks=(once(spell=lambda key: key.ljust(255, "x")),),
    ),
    Row(rule=2, what="quoted and bare are the same key", asks=(once(), again(spell=quoted))),
    Row(
        rule=2,
        what="an escaped quote is a quote",
        asks=(
            once(spell=lambda key: f'{key}"'),
            again(spell=lambda key: f'"{key}\\""'),
        ),
    ),
    *bad_keys(),
    Row(rule=3, what="another partner's key is another", asks=(once(), once(by="globex")), made=2),
    Row(
        rule=3,
        what="another account of the partner is another",
        asks=(once(), once(by="sibling")),
        made=2,
    ),
    Row(
        rule=3,
        what="another route is another",
        asks=(once(), refused(409, "wrong_state", path=CANCEL)),
    ),
    Row(
        rule=3,
        what="a rotated client is of the same account",
        asks=(once(), again(by="rotated")),
    ),
    Row(
        rule=3,
        what="the client before is of the rotated one's account",
        asks=(once(by="rotated"), again()),
    ),
    Row(
        rule=3,
        what="another payload by a rotated client is refused",
        asks=(once(), refused(422, "key_reused", by="rotated", changes={"amount_minor": 7})),
    ),
    *same_requests(),
    Row(
        rule=4,
        what="a charset is no difference",
        asks=(once(), again(content_type="application/json; charset=utf-8")),
    ),
    *other_requests(),
    Row(
        rule=5,
        what="numbers that a double cannot tell apart are two requests",
        asks=(
            refused(409, "insufficient_funds", changes={"amount_minor": 2**53}),
            refused(422, "key_reused", changes={"amount_minor": 2**53 + 1}),
        ),
        made=0,
    ),
    Row(
        rule=6,
        what="in flight is a conflict, and then free",
        asks=(refused(409, "key_in_flight", during=held, says={"retryable": True}), once()),
    ),
    Row(
        rule=6,
        what="in flight under another spelling",
        asks=(refused(409, "key_in_flight", during=held, spell=quoted), once()),
    ),
    Row(
        rule=6,
        what="in flight at a rotated client",
        asks=(refused(409, "key_in_flight", during=held, by="rotated"), once()),
    ),
    Row(rule=7, what="a replay is the same bytes", asks=(once(), again(), again())),
    Row(
        rule=7,
        what="a replay of letters beyond ASCII",
        asks=(once(changes={"reference": "Ünïcode ✓"}), again(changes={"reference": "Ünïcode ✓"})),
    ),
    *not_stored(),
    Row(
        rule=9,
        what="a lasting refusal sticks",
        asks=(
            refused(409, "insufficient_funds", changes=RICHER),
            again(409, code="insufficient_funds", changes=RICHER),
        ),
        made=0,
    ),
    Row(
        rule=9,
        what="a transfer that cannot be called off stays so",
        asks=(
            once(),
            refused(409, "wrong_state", path=CANCEL, key="b"),
            again(409, code="wrong_state", path=CANCEL, key="b", same=1),
        ),
    ),
    Row(
        rule=10,
        what="a fault of ours leaves the key unused",
        asks=(
            refused(500, "internal", during=failing(RuntimeError("planted"))),
            once(),
            again(same=1),
        ),
    ),
    Row(
        rule=10,
        what="a database that is away leaves the key unused",
        asks=(
            refused(503, "unavailable", during=failing(OperationalError("planted"))),
            once(),
            again(same=1),
        ),
    ),
    Row(
        rule=11,
        what="an answer that cannot be kept undoes the act",
        asks=(refused(500, "internal", during=too_long),),
        made=0,
    ),
    Row(rule=12, what="a dead holder frees the key at once", asks=(once(during=died),)),
    Row(
        rule=14,
        what="an answer of another row does not open",
        asks=(once(key="b"), once(), refused(500, "internal", during=swapped)),
        made=2,
    ),
    Row(
        rule=15,
        what="after 72 hours it is done and not done again",
        asks=(once(), LATE, refused(409, "already_processed")),
    ),
    Row(
        rule=15,
        what="after 72 hours another payload is still refused",
        asks=(once(), LATE, refused(422, "key_reused", changes={"amount_minor": 7})),
    ),
    Row(
        rule=15,
        what="after 72 hours the look-up still tells what was made",
        asks=(once(), LATE, Ask(status=200, method="GET", path=LOOK_UP)),
    ),
    Row(
        rule=20,
        what="without lock and look-up the rows let one through",
        asks=(once(), Ask(status=409, during=unlocked)),
    ),
    Row(
        rule=13,
        what="a replay asks for the scope again",
        asks=(once(), refused(403, "not_permitted", scope="transfers:read"), again()),
    ),
    Row(
        rule=13,
        what="a replay asks for a token again",
        asks=(once(), refused(401, "unauthenticated", token="Bearer nonsense")),
    ),
    Row(
        rule=16,
        what="an unknown key is not there",
        asks=(refused(404, "not_found", method="GET", path="/v1/idempotency-keys/" + "x" * 20),),
        made=0,
    ),
    Row(
        rule=16,
        what="a key in flight is in flight, on whatever route",
        asks=(
            once(key="b"),
            Ask(
                status=200,
                method="GET",
                path=LOOK_UP,
                during=held,
                key="a",
                says={"state": "in_flight", "uses": []},
            ),
        ),
    ),
    Row(
        rule=16,
        what="a rotated client looks up the account's keys",
        asks=(
            once(),
            Ask(status=200, method="GET", path=LOOK_UP, by="rotated", says={"state": "answered"}),
        ),
    ),
    Row(
        rule=16,
        what="another account's key is not there",
        asks=(once(), refused(404, "not_found", method="GET", path=LOOK_UP, by="sibling")),
    ),
    Row(
        rule=16,
        what="another partner's key is not there",
        asks=(once(), refused(404, "not_found", method="GET", path=LOOK_UP, by="globex")),
    ),
)
