"""T08, second half: what is kept under a key, how, and for whom (I9 to I16, I20)."""

import pytest
from django.db import OperationalError

from accounts.frontdesk import idempotency
from accounts.models import IdempotencyKey, Letter
from audit.calls import Call
from audit.models import Entry
from tests.accounts.key_holders import executed, poor, somebody_else_holding, switched_off
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, fresh_key, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"


# I9: what sticks.
def test_i9_a_lasting_refusal_sticks_byte_for_byte_even_when_it_would_pass_now(
    acme: PartnerWorld,
) -> None:
    key = fresh_key()
    small = acme.internal(amount_minor=100, source_account=poor(acme))
    small["destination_account"] = acme.target.public_id
    first = acme.post(PATH, small, key=key)
    assert (first.status_code, first.json()["code"]) == (409, "insufficient_funds")
    assert first["Content-Type"] == "application/problem+json"
    richer = acme.internal(destination_account=small["source_account"], amount_minor=5000)
    assert acme.post(PATH, richer).status_code == 201
    again = acme.post(PATH, small, key=key)
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"
    assert acme.post(PATH, small).status_code == 201


def test_i9_the_refusal_commits_with_its_entry(acme: PartnerWorld) -> None:
    key = fresh_key()
    body = acme.internal(amount_minor=10**15)
    with_trace = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    acme.post(PATH, body, key=key, headers=with_trace)
    with STAGE.as_role("auditor"):
        entry = Entry.objects.get(trace_id="ab" * 16)
    assert (entry.outcome, entry.code) == ("refused", "insufficient_funds")


def test_i9_wrong_state_sticks(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.internal()).json()["id"]
    key = fresh_key()
    first = acme.post(f"{PATH}/{made}/cancel", key=key)
    again = acme.post(f"{PATH}/{made}/cancel", key=key)
    assert (first.status_code, first.json()["code"]) == (409, "wrong_state")
    assert again.content == first.content


# I10: a fault leaves nothing.
@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("planted"), 500), (OperationalError("planted"), 503)]
)
def test_i10_a_fault_leaves_the_key_unused_and_is_never_replayed(
    acme: PartnerWorld, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    key, before = fresh_key(), executed()
    with monkeypatch.context() as patch:

        def fail(*_: object, **__: object) -> None:
            raise error

        patch.setattr("transactions.services.storing.publish_all", fail)
        answer = acme.post(PATH, acme.internal(), key=key)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert "planted" not in answer.content.decode()
    assert executed() == before
    assert acme.get(f"/v1/idempotency-keys/{key}").status_code == 404
    assert acme.post(PATH, acme.internal(), key=key).status_code == 201


# I11: one transaction.
def test_i11_when_the_answer_cannot_be_kept_nothing_is_done(
    acme: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, before = fresh_key(), (executed(), Letter.objects.count())
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "ANSWER_BYTES_MAX", 10)
        assert acme.post(PATH, acme.internal(), key=key).status_code == 500
    assert (executed(), Letter.objects.count()) == before


def test_i11_transfer_letter_and_entry_share_one_transaction(acme: PartnerWorld) -> None:
    trace = fresh_key().replace("-", "")
    acme.post(PATH, acme.internal(), headers={"traceparent": f"00-{trace}-{'cd' * 8}-01"})
    with STAGE.as_role("auditor"):
        entry = Entry.objects.get(trace_id=trace)
    assert Letter.objects.get(trace_id=trace).xact == entry.xact


# I12: the lock is freed by a crash, and there is no clock in it.
def test_i12_a_dead_holder_frees_the_key_at_once(acme: PartnerWorld) -> None:
    key = fresh_key()
    with somebody_else_holding(acme, key=key) as other:
        with STAGE.migrator() as server:
            server.execute("SELECT pg_terminate_backend(%s)", [other])
            server.execute("SELECT pg_sleep(0.05)")
        assert acme.post(PATH, acme.internal(), key=key).status_code == 201


# I13: permission is checked again.
def test_i13_a_replay_without_the_scope_is_refused(acme: PartnerWorld) -> None:
    key = fresh_key()
    acme.post(PATH, acme.internal(), key=key)
    answer = acme.post(PATH, acme.internal(), key=key, token=acme.token("transfers:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert "Idempotent-Replayed" not in answer


def test_i13_a_replay_by_a_client_switched_off_is_refused(acme: PartnerWorld) -> None:
    key = fresh_key()
    acme.post(PATH, acme.internal(), key=key)
    with switched_off(acme):
        assert acme.post(PATH, acme.internal(), key=key).status_code == 401
    assert acme.post(PATH, acme.internal(), key=key)["Idempotent-Replayed"] == "true"


# I14: stored answers are sealed and bound to their row.
def test_i14_the_stored_answer_is_sealed(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.payout()).json()["id"]
    kept = IdempotencyKey.objects.get(resource=f"{PATH}/{made}")
    assert kept.answer is not None
    assert made.encode() not in bytes(kept.answer)
    assert b"amount_minor" not in bytes(kept.answer)


def test_i14_an_answer_moved_to_another_row_does_not_open(acme: PartnerWorld) -> None:
    key, other = fresh_key(), fresh_key()
    one = acme.post(PATH, acme.internal(), key=key).json()["id"]
    two = acme.post(PATH, acme.internal(), key=other).json()["id"]
    with STAGE.as_role("migrator"):
        swapped = IdempotencyKey.objects.get(resource=f"{PATH}/{two}").answer
        IdempotencyKey.objects.filter(resource=f"{PATH}/{one}").update(answer=swapped)
    answer = acme.post(PATH, acme.internal(), key=key)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


def test_i14_the_longest_answer_fits(acme: PartnerWorld) -> None:
    pairs = {f"{'n' * 36}{number:04}": "\U0001f98a" * 255 for number in range(20)}
    key, body = fresh_key(), acme.internal(metadata=pairs, reference="\U0001f98a" * 140)
    first = acme.post(PATH, body, key=key)
    assert first.status_code == 201
    assert acme.post(PATH, body, key=key).content == first.content


# I15: after the answer has expired.
def test_i15_a_key_whose_answer_is_gone_still_works_no_second_time(acme: PartnerWorld) -> None:
    key, before = fresh_key(), executed()
    made = acme.post(PATH, acme.internal(), key=key).json()["id"]
    with STAGE.as_role("migrator"):
        IdempotencyKey.objects.filter(resource=f"{PATH}/{made}").update(answer=None)
    answer = acme.post(PATH, acme.internal(), key=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_processed")
    assert answer.json()["resource"] == f"{PATH}/{made}"
    assert executed() == before + 1


# I16: looking a key up.
def test_i16_a_key_tells_what_it_made(acme: PartnerWorld) -> None:
    key = fresh_key()
    made = acme.post(PATH, acme.payout(), key=key).json()["id"]
    acme.post(f"{PATH}/{made}/cancel", key=key)
    found = acme.get(f"/v1/idempotency-keys/{key}").json()
    assert found["state"] == "answered"
    assert [(use["route"], use["status"], use["resource"]) for use in found["uses"]] == [
        (PATH, 201, f"{PATH}/{made}"),
        (f"{PATH}/{{id}}/cancel", 200, f"{PATH}/{made}"),
    ]


def test_i16_a_key_tells_that_it_was_refused(acme: PartnerWorld) -> None:
    key = fresh_key()
    acme.post(PATH, acme.internal(amount_minor=10**15), key=key)
    (use,) = acme.get(f"/v1/idempotency-keys/{key}").json()["uses"]
    assert (use["outcome"], use["status"], use["resource"]) == ("refused", 409, None)


def test_i16_somebody_elses_key_does_not_exist(acme: PartnerWorld, globex: PartnerWorld) -> None:
    key = fresh_key()
    acme.post(PATH, acme.internal(), key=key)
    theirs = globex.get(f"/v1/idempotency-keys/{key}")
    unknown = globex.get(f"/v1/idempotency-keys/{fresh_key()}")
    assert (theirs.status_code, theirs.content) == (404, unknown.content)


@pytest.mark.parametrize("key", ["short", "%00" * 16, "a%20b%20c%20d%20e%20f%20g", "x" * 300])
def test_i16_what_is_no_key_is_refused(acme: PartnerWorld, key: str) -> None:
    assert acme.get(f"/v1/idempotency-keys/{key}").status_code == 400


def test_i16_a_key_with_slashes_can_be_looked_up(acme: PartnerWorld) -> None:
    key = f"a/b/{fresh_key()}"
    acme.post(PATH, acme.internal(), key=key)
    assert acme.get(f"/v1/idempotency-keys/{key}").json()["state"] == "answered"


# I20: the row is the second line where the lock cannot help.
@pytest.mark.parametrize("path", [PATH, "cancel"])
def test_i20_without_the_lock_the_rows_still_let_only_one_through(
    acme: PartnerWorld, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    key, body = fresh_key(), acme.payout()
    if path == "cancel":
        path, body = f"{PATH}/{acme.post(PATH, body).json()['id']}/cancel", {}
    assert acme.post(path, body, key=key).status_code < 300
    before = (executed(), Letter.objects.count())
    monkeypatch.setattr(idempotency.KeyedCall, "claim", Call(sql="'free'"))
    assert acme.post(path, body, key=key).status_code >= 400
    assert (executed(), Letter.objects.count()) == before
