"""What staff may do from the pages: each act once, on purpose, by those who may."""

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Approval, Freeze
from accounts.roles import Role
from audit.models import Entry
from audit.typeids import uuid7
from tests import factories
from tests.desk import Desk, grant, seat
from tests.staff import age_proofs
from transactions.models import Transfer
from transactions.services.transfers import request_transfer
from transactions.states import TransferState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner with money."""
    return factories.cast()


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The workers that were rung for."""
    rung: list[str] = []
    monkeypatch.setattr("transactions.admin.approvals.ring", rung.append)
    return rung


def _waiting(company: factories.Cast) -> Approval:
    asked = factories.payout(company, state=TransferState.AWAITING_APPROVAL)
    assert asked.approval is not None
    return asked.approval


def _state(approval: Approval) -> str:
    return Approval.objects.get(pk=approval.pk).state


def _said(answer: object) -> str:
    return " ".join(str(one) for one in answer.context["messages"])  # type: ignore[attr-defined]


def _approve(desk: Desk, approval: Approval, *, shown: str | None = None) -> object:
    return desk.send(
        "accounts_approval_approve",
        approval.pk,
        reason="checked with the partner",
        shown_hash=shown or approval.payload_hash,
    )


# -- four eyes --------------------------------------------------------------------------------


def test_a_second_person_approves_what_was_shown(
    company: factories.Cast, bells: list[str]
) -> None:
    desk, approval = seat(Role.COMPLIANCE_OFFICER), _waiting(company)

    page = desk.open("accounts_approval_approve", approval.pk).content.decode()
    assert approval.payload_hash in page
    assert "1,000.00 EUR" in page
    assert _state(approval) == "open"
    answer = _approve(desk, approval)

    assert "done" in _said(answer)
    assert _state(approval) == "approved"
    assert bells == ["transactions.carry_out_approvals"]
    entry = Entry.objects.get(action="approval.approved")
    assert entry.actor_ref == f"staff:{desk.member.user_id}"


def test_nobody_approves_their_own_request(company: factories.Cast, bells: list[str]) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    same_person = factories.colleague(Role.FINANCE_OPERATOR, person_id=desk.member.user.person_id)
    asked = request_transfer(
        actor=same_person, order=factories.staff_order(company), origin=factories.origin()
    )
    assert asked.approval is not None

    answer = _approve(desk, asked.approval)

    assert "Nobody decides what they asked for themselves" in _said(answer)
    assert _state(asked.approval) == "open"
    assert bells == []


def test_a_stale_page_decides_nothing(company: factories.Cast) -> None:
    desk, approval = seat(Role.COMPLIANCE_OFFICER), _waiting(company)

    assert "changed since" in _said(_approve(desk, approval, shown="0" * 64))
    missing = desk.send("accounts_approval_approve", approval.pk, reason="x")
    assert missing.status_code == 200
    assert _state(approval) == "open"


def test_a_decided_request_is_not_decided_again(company: factories.Cast) -> None:
    desk, approval = seat(Role.COMPLIANCE_OFFICER), _waiting(company)
    desk.send(
        "accounts_approval_reject",
        approval.pk,
        reason="wrong payee",
        shown_hash=approval.payload_hash,
    )
    assert _state(approval) == "rejected"
    assert "has been decided" in _said(_approve(desk, approval))


def test_whoever_asked_takes_it_back(company: factories.Cast, bells: list[str]) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    _submit(desk, company=company)
    approval = Transfer.objects.get().approval
    assert approval is not None

    assert desk.open("accounts_approval_change", approval.pk).context["actions_detail"]
    desk.send("accounts_approval_withdraw", approval.pk)

    assert _state(approval) == "withdrawn"
    assert bells == ["transactions.carry_out_approvals"]


# -- a new payout -----------------------------------------------------------------------------


def _submit(desk: Desk, *, company: factories.Cast, **changes: object) -> object:
    fields: dict[str, object] = {
        "origin": uuid7(),
        "account": company.giver.public_id,
        "amount": "1250.00",
        "payee": factories.registered(company).public_id,
        "reference": "Invoice 7",
    }
    return desk.send("transactions_transfer_new_payout", **{**fields, **changes})


def test_a_double_submit_is_one_transfer(company: factories.Cast) -> None:
    desk, number = seat(Role.FINANCE_OPERATOR), uuid7()

    first = _submit(desk, company=company, origin=number)
    second = _submit(desk, company=company, origin=number)

    made = Transfer.objects.get()
    where = reverse("admin:transactions_transfer_change", args=[made.pk])
    assert first.redirect_chain[-1][0] == where  # type: ignore[attr-defined]
    assert second.redirect_chain[-1][0] == where  # type: ignore[attr-defined]
    assert "already, and only once" in _said(second)
    assert (made.origin, made.amount_minor) == (f"staff:{number}", 125_000)
    assert made.state == TransferState.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "1.234"}, "EUR has 2 decimals"),
        ({"amount": "-5"}, "Write the amount with digits"),
        ({"amount": "1e3"}, "Write the amount with digits"),
        ({"amount": "0"}, "above zero"),
        ({"amount": "99999999999999999999"}, "Write the amount with digits"),
        ({"amount": "9" * 19}, "within what the books can hold"),
        ({"amount": "999999"}, "does not hold enough available money"),
        ({"account": "acc_nonsense"}, "Select a valid choice"),
        ({"payee": ""}, "This field is required"),
        ({"payee": "pye_nonsense"}, "Select a valid choice"),
        ({"reference": "a\x00b"}, "Null characters are not allowed"),
        ({"origin": "x"}, "Open this page again"),
    ],
)
def test_a_wrong_form_is_answered_beside_the_field(
    company: factories.Cast, changes: dict[str, object], said: str
) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    answer = _submit(desk, company=company, **changes)
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert said in answer.content.decode()  # type: ignore[attr-defined]
    assert not Transfer.objects.exists()


# -- the other acts ---------------------------------------------------------------------------


def test_an_account_is_frozen_with_its_reasons(company: factories.Cast) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    key = company.giver.pk
    fields = {"mode": "debits", "reason_code": "court_order", "legal_reference": "C-7"}

    assert desk.send("accounts_account_freeze", key, **fields).status_code == 200
    assert desk.send("accounts_account_freeze", key, reason="x", mode="debits").status_code == 200
    wrong = desk.send("accounts_account_freeze", key, reason="x", **{**fields, "mode": "none"})
    assert b"Select a valid choice" in wrong.content
    assert not Freeze.objects.exists()
    desk.send("accounts_account_freeze", key, reason="court order", **fields)

    order = Freeze.objects.get()
    assert (order.mode, order.reason, order.legal_reference) == ("debits", "court order", "C-7")
    shown = desk.open("accounts_account_change", key).content.decode()
    assert "Nothing may leave" in shown
    assert "To be confirmed by" in shown
    again = desk.send("accounts_account_freeze", key, reason="again", **fields)
    assert "frozen already" in _said(again)


def test_an_amount_is_held_back_for_a_time_and_the_form_says_what_is_wrong(
    company: factories.Cast,
) -> None:
    desk, key = seat(Role.COMPLIANCE_OFFICER), company.giver.pk
    fields = {"mode": "amount", "reason_code": "tax_order", "legal_reference": "C-8"}
    for wrong in ({}, {"amount": "1.234"}, {"amount": "5", "mode": "all"}):
        answer = desk.send("accounts_account_freeze", key, reason="x", **{**fields, **wrong})
        assert answer.status_code == 200
        assert not Freeze.objects.exists()
    until = {"amount": "1250.00", "ends_at": "2199-01-01T12:00"}
    desk.send("accounts_account_freeze", key, reason="tax", **fields, **until)
    order = Freeze.objects.get()
    assert (order.amount_minor, order.ends_at and order.ends_at.isoformat()) == (
        125_000,
        "2199-01-01T12:00:00+00:00",
    )
    shown = desk.open("accounts_account_change", key).content.decode()
    assert "1,250.00 EUR is held back" in shown


def test_lifting_closing_and_a_floor_are_asked_for_at_the_desk(company: factories.Cast) -> None:
    officer, finance = seat(Role.COMPLIANCE_OFFICER), seat(Role.FINANCE_OPERATOR)
    fields = {"mode": "debits", "reason_code": "other", "legal_reference": "C-9"}
    officer.send("accounts_account_freeze", company.giver.pk, reason="x", **fields)
    officer.send("accounts_freeze_lift", Freeze.objects.get().pk, reason="paid")
    finance.send("accounts_account_close", company.taker.pk, reason="moved away")
    for wrong in ("x", "-5", "1.234"):
        sent = finance.send(
            "accounts_account_floor", company.giver.pk, reason="x", overdraft=wrong
        )
        assert sent.status_code == 200
    finance.send("accounts_account_floor", company.giver.pk, reason="agreed", overdraft="500")
    asked = Approval.objects.order_by("id").values_list("action", "payload__floor_minor")
    assert list(asked) == [
        ("transactions.confirm_freeze", None),
        ("transactions.lift_freeze", None),
        ("transactions.close_account", None),
        ("transactions.set_floor", -50_000),
    ]
    for approval in Approval.objects.all():
        assert officer.open("accounts_approval_change", approval.pk).status_code == 200
    assert "-500.00 EUR" in officer.open("accounts_approval_change", approval.pk).content.decode()


def test_support_notes_flags_and_escalates(company: factories.Cast) -> None:
    desk, asked = seat(Role.SUPPORT_AGENT), factories.payout(company)
    grant(desk, company=company)

    for step in ("note", "flag", "escalate"):
        desk.send(f"transactions_transfer_{step}", asked.pk, reason="caller is worried")

    actions = set(Entry.objects.values_list("action", flat=True))
    assert {"transfer.noted", "transfer.flagged", "transfer.escalated"} <= actions
    assert Transfer.objects.get().is_flagged


def test_finance_cancels_what_was_not_sent(company: factories.Cast) -> None:
    desk, asked = seat(Role.FINANCE_OPERATOR), factories.payout(company)
    desk.send("transactions_transfer_cancel", asked.pk)
    assert Transfer.objects.get().state == TransferState.CANCELLED
    assert "past the point" in _said(desk.send("transactions_transfer_cancel", asked.pk))


def _addresses(company: factories.Cast) -> dict[str, UUID | None]:
    asked = factories.payout(company, state=TransferState.AWAITING_APPROVAL)
    return {
        "accounts_approval_approve": asked.approval_id,
        "accounts_approval_reject": asked.approval_id,
        "accounts_approval_withdraw": asked.approval_id,
        "accounts_account_freeze": company.giver.pk,
        "accounts_account_floor": company.giver.pk,
        "accounts_account_close": company.taker.pk,
        "transactions_transfer_cancel": asked.pk,
        "transactions_transfer_note": asked.pk,
        "transactions_transfer_flag": asked.pk,
        "transactions_transfer_escalate": asked.pk,
        "transactions_transfer_new_payout": None,
        "integrations_callback_replay": uuid7(),
    }


def test_an_auditor_does_nothing_and_a_look_changes_nothing(company: factories.Cast) -> None:
    auditor, officer = seat(Role.AUDITOR), seat(Role.COMPLIANCE_OFFICER)
    before = _snapshot()
    for page, key in _addresses(company).items():
        args = [key] if key else []
        assert auditor.open(page, *args).status_code == 403, page
        assert auditor.send(page, *args, reason="x").status_code == 403, page
        officer.open(page, *args)
    after = _snapshot()
    assert (after[0], after[1]) == (before[0] + 1, before[1])


def _snapshot() -> tuple[int, int]:
    is_open = Approval.objects.filter(state="open").count()
    return is_open, Transfer.objects.filter(is_flagged=True).count() + Freeze.objects.count()


@pytest.mark.parametrize("page", ["accounts_approval_approve", "accounts_account_freeze"])
def test_a_grave_act_wants_a_fresh_code(company: factories.Cast, page: str) -> None:
    desk, approval = seat(Role.COMPLIANCE_OFFICER), _waiting(company)
    key = approval.pk if "approval" in page else company.giver.pk
    age_proofs(desk.client, seconds=301)

    answer = desk.open(page, key)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_a_forged_form_is_refused(company: factories.Cast) -> None:
    desk, approval = seat(Role.COMPLIANCE_OFFICER), _waiting(company)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.client.cookies
    where = reverse("admin:accounts_approval_approve", args=[approval.pk])

    answer = strict.post(where, {"reason": "x", "shown_hash": approval.payload_hash})

    assert answer.status_code == 403
    assert _state(approval) == "open"
