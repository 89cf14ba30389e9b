"""Every lie of the Test Bank, seen over real HTTP, and what our client makes of it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from config.sandbox.doubles.testbank_lies import WHAT_EACH_DOES, Lie
from integrations.providers.base import Accepted, Declined, Genuine, NeverHeard, Unknown
from integrations.providers.testbank.inbound import BankInbound
from tests.doubles import SECRET, TOKEN, BankProcess
from tests.integrations.testbank.conftest import (
    IBAN,
    Callback,
    Mailbox,
    eventually,
    found,
    order_to,
)
from transactions.meanings import TransferNotice, TransferState


def just_now() -> datetime:
    return datetime.fromtimestamp(time.time(), tz=UTC)


def types(callbacks: list[Callback]) -> list[str]:
    return [each.event["type"] for each in callbacks]


def at_least(count: int, *, of: str, mailbox: Mailbox) -> list[Callback]:
    """Wait for `count` callbacks, and a little longer for any too many."""

    def arrived() -> list[Callback]:
        found = mailbox.of(of)
        return found if len(found) >= count else []

    assert eventually(arrived), f"{len(mailbox.of(of))} of {count} callbacks came"
    time.sleep(0.3)
    return mailbox.of(of)


def standing_of(state: TransferState) -> Callable[[object], bool]:
    return lambda found: isinstance(found, TransferNotice) and found.state is state


def test_every_lie_is_explained(bank: BankProcess) -> None:
    status, told = bank.call("GET", "/_control/lies")
    assert status == 200
    assert told == dict(WHAT_EACH_DOES)
    assert set(told) == set(Lie)


def test_an_honest_payment_is_accepted_settled_and_told_once(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    order = order_to("Jane Doe")
    answer = bank.client.pay(order)
    assert isinstance(answer, Accepted)
    callbacks = at_least(1, of=order.reference, mailbox=mailbox)
    assert types(callbacks) == ["payment.settled"]
    event = callbacks[0].event
    assert set(event) == {
        "id",
        "type",
        "occurred_at",
        "payment_id",
        "reference",
        "amount_minor",
        "currency",
        "reason",
    }
    assert (event["payment_id"], event["amount_minor"], event["currency"], event["reason"]) == (
        answer.provider_ref,
        1250,
        "EUR",
        None,
    )
    assert found(bank.client, order) == answer
    assert standing_of(TransferState.SETTLED)(bank.client.standing(order))
    assert bank.times_moved(order.reference) == 1


def test_callbacks_are_genuine_and_confirmed_when_the_bank_is_asked(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    order = order_to("Jane Doe")
    bank.client.pay(order)
    (callback,) = at_least(1, of=order.reference, mailbox=mailbox)
    verdict = BankInbound().verify(
        headers=callback.headers, body=callback.body, secrets=[SECRET], now=just_now()
    )
    assert verdict == Genuine(event_id=callback.event["id"], event_type="payment.settled")
    (meaning,) = BankInbound().meanings(body=callback.body, lookup=bank.client)
    assert isinstance(meaning, TransferNotice)
    assert (meaning.reference, meaning.state) == (order.reference, TransferState.SETTLED)


def test_the_same_key_is_the_same_payment_and_another_body_is_refused(bank: BankProcess) -> None:
    order = order_to("Jane Doe")
    first = bank.client.pay(order)
    assert bank.client.pay(order) == first
    form = {
        "reference": order.reference,
        "amount_minor": order.amount_minor + 1,
        "currency": "EUR",
        "destination": {"name": "Jane Doe", "iban": IBAN},
    }
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": order.key}
    assert bank.call("POST", "/payments", form=form, headers=headers) == (
        422,
        {"code": "idempotency_key_reused"},
    )
    assert bank.times_moved(order.reference) == 1
    bank.call("POST", "/payments", form=form, headers=headers | {"Idempotency-Key": "fresh"})
    assert bank.times_moved(order.reference) == 2  # a fresh key really pays twice


def test_a_reused_key_is_unknown_to_us_for_the_first_may_have_been_paid(bank: BankProcess) -> None:
    order, other = order_to("Jane Doe"), order_to("John Doe")
    bank.client.pay(order)
    reused = type(other)(
        key=order.key,
        reference=other.reference,
        amount_minor=other.amount_minor,
        currency=other.currency,
        destination=other.destination,
    )
    assert isinstance(bank.client.pay(reused), Unknown)


@pytest.mark.parametrize("lie", [Lie.ERROR_AFTER, Lie.TIMEOUT_AFTER, Lie.SLOW_ANSWER])
def test_done_but_not_said_is_unknown_then_accepted_when_asked(
    lie: Lie, bank: BankProcess
) -> None:
    order = order_to(f"Jane {lie} Doe")
    assert isinstance(bank.client.pay(order), Unknown)
    answer = found(bank.client, order)
    assert isinstance(answer, Accepted)
    assert bank.client.pay(order) == answer
    assert bank.times_moved(order.reference) == 1


def test_never_heard_is_not_made_until_sent_again_after_the_window(bank: BankProcess) -> None:
    order = order_to("Jane NEVER-HEARD Doe")
    for _ in range(2):
        assert isinstance(bank.client.pay(order), Unknown)
        assert found(bank.client, order) == NeverHeard()
    assert bank.times_moved(order.reference) == 0
    time.sleep(1.05)
    assert found(bank.client, order) == NeverHeard()
    assert isinstance(bank.client.pay(order), Accepted)
    assert bank.times_moved(order.reference) == 1


def test_forgetful_denies_a_payment_it_made_until_the_window_has_passed(bank: BankProcess) -> None:
    order = order_to("Jane FORGETFUL Doe")
    assert isinstance(bank.client.pay(order), Unknown)
    assert found(bank.client, order) == NeverHeard()
    assert eventually(lambda: isinstance(found(bank.client, order), Accepted))
    assert isinstance(bank.client.pay(order), Accepted)
    assert bank.times_moved(order.reference) == 1


def test_a_decline_is_a_no_for_good(bank: BankProcess) -> None:
    order = order_to("Jane DECLINE Doe")
    for _ in range(2):
        assert bank.client.pay(order) == Declined("account_blocked")
    assert found(bank.client, order) == NeverHeard()
    assert bank.times_moved(order.reference) == 0


def test_a_failure_is_told_and_found(bank: BankProcess, mailbox: Mailbox) -> None:
    order = order_to("Jane FAIL Doe")
    assert isinstance(bank.client.pay(order), Accepted)
    callbacks = at_least(1, of=order.reference, mailbox=mailbox)
    assert types(callbacks) == ["payment.failed"]
    assert callbacks[0].event["reason"] == "account_closed"
    assert found(bank.client, order) == Declined("account_closed")


def test_dropped_news_is_found_only_by_asking(bank: BankProcess, mailbox: Mailbox) -> None:
    order = order_to("Jane DROP Doe")
    bank.client.pay(order)
    settled = standing_of(TransferState.SETTLED)
    assert eventually(lambda: settled(bank.client.standing(order)))
    time.sleep(0.3)
    assert mailbox.of(order.reference) == []


def test_duplicates_are_one_event_told_three_times(bank: BankProcess, mailbox: Mailbox) -> None:
    order = order_to("Jane DUPLICATE Doe")
    bank.client.pay(order)
    callbacks = at_least(3, of=order.reference, mailbox=mailbox)
    assert len(callbacks) == 3
    assert len({each.event["id"] for each in callbacks}) == 1
    assert len({each.body for each in callbacks}) == 1


def test_shuffled_news_comes_last_first(bank: BankProcess, mailbox: Mailbox) -> None:
    order = order_to("Jane SHUFFLE RETURN Doe")
    bank.client.pay(order)
    callbacks = at_least(3, of=order.reference, mailbox=mailbox)
    assert types(callbacks) == ["payment.returned", "payment.settled", "payment.accepted"]
    moments = [each.event["occurred_at"] for each in callbacks]
    assert moments == sorted(moments, reverse=True)


def test_delayed_news_comes_late_and_an_advance_brings_it(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    order = order_to("Jane DELAY Doe")
    bank.client.pay(order)
    assert eventually(lambda: standing_of(TransferState.SETTLED)(bank.client.standing(order)))
    time.sleep(0.5)
    assert mailbox.of(order.reference) == []
    assert bank.call("POST", "/_control/advance", form={"seconds": 6})[0] == 200
    assert types(at_least(1, of=order.reference, mailbox=mailbox)) == ["payment.settled"]


def test_a_return_is_dated_two_days_after_the_settlement(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    order = order_to("Jane RETURN Doe")
    bank.client.pay(order)
    callbacks = at_least(2, of=order.reference, mailbox=mailbox)
    assert types(callbacks) == ["payment.settled", "payment.returned"]
    settled, returned = (datetime.fromisoformat(c.event["occurred_at"]) for c in callbacks)
    assert returned - settled == timedelta(days=2)
    assert callbacks[1].event["reason"] == "returned_by_beneficiary"
    assert standing_of(TransferState.RETURNED)(bank.client.standing(order))


def test_a_return_can_wait_for_an_advance_of_two_days(bank: BankProcess, mailbox: Mailbox) -> None:
    order = order_to("Jane Doe")
    wish = {
        "lies": ["RETURN"],
        "reference": order.reference,
        "times": 1,
        "pace": {"return_seconds": -1},
    }
    assert bank.call("POST", "/_control/behaviour", form=wish)[0] == 200
    bank.client.pay(order)
    assert types(at_least(1, of=order.reference, mailbox=mailbox)) == ["payment.settled"]
    bank.call("POST", "/_control/advance", form={"days": 2})
    assert len(at_least(2, of=order.reference, mailbox=mailbox)) == 2
    bank.call("POST", "/_control/behaviour", form={"lies": [], "pace": {"return_seconds": 1}})


def test_lies_told_by_control_hold_for_as_many_payments_as_wished(bank: BankProcess) -> None:
    assert (
        bank.call("POST", "/_control/behaviour", form={"lies": ["DECLINE"], "times": 2})[0] == 200
    )
    answers = [bank.client.pay(order_to("Jane Doe")) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Declined, Declined, Accepted]


def test_a_callback_that_is_refused_comes_again_under_the_same_id(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    order = order_to("Jane Doe")
    mailbox.refusals[order.reference] = 2
    bank.client.pay(order)
    callbacks = at_least(3, of=order.reference, mailbox=mailbox)
    assert len(callbacks) == 3
    assert len({each.headers["webhook-id"] for each in callbacks}) == 1
    for each in callbacks:
        assert isinstance(
            BankInbound().verify(
                headers=each.headers, body=each.body, secrets=[SECRET], now=just_now()
            ),
            Genuine,
        )


def test_a_killed_bank_remembers_every_payment_and_every_callback_it_owes(
    bank: BankProcess, mailbox: Mailbox
) -> None:
    told, owing, declined = (order_to(f"Jane {lie} Doe") for lie in ("", "DELAY", "DECLINE"))
    answers = [bank.client.pay(order) for order in (told, owing, declined)]
    assert len(at_least(1, of=told.reference, mailbox=mailbox)) == 1
    bank.kill()
    with bank.state.open("ab") as memory:
        memory.write(b'{"fact":"executed","payment_id":"pay_torn')  # killed in mid-write
    bank.start()
    assert [bank.client.pay(order) for order in (told, owing, declined)] == answers
    assert bank.times_moved(told.reference) == bank.times_moved(owing.reference) == 1
    bank.call("POST", "/_control/advance", form={"seconds": 6})
    assert len(at_least(1, of=owing.reference, mailbox=mailbox)) == 1
    assert len(mailbox.of(told.reference)) == 1


def test_a_bank_that_is_not_there_is_unknown_not_declined(bank: BankProcess) -> None:
    order = order_to("Jane Doe")
    client = bank.client
    bank.kill()
    assert isinstance(client.pay(order), Unknown)
    assert isinstance(found(client, order), Unknown)
    bank.start()
    assert found(bank.client, order) == NeverHeard()
    assert isinstance(bank.client.pay(order), Accepted)
