"""Every page of the staff's admin, for every role: who may look, and that looking is all."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from uuid import UUID

import pytest
from django.contrib.admin import site
from django.utils import timezone

from accounts.models import Approval, Freeze
from accounts.roles import ROLES, Role
from accounts.services.approvals import decide_approval
from accounts.states import FreezeMode, Verdict
from audit.adminkit import LookOnlyAdmin
from audit.models import Entry
from audit.typeids import uuid7
from integrations.models import Callback, Dispatch
from tests import factories
from tests.conftest import STAGE
from tests.desk import Desk, grant, seat
from transactions.fees import FeeTerms
from transactions.meanings import DisputeNotice, DisputeState
from transactions.models import BatchItem, Dispute, Journal, Payment, Transfer
from transactions.rounds.batches import carry_out_batches
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.notices import note_dispute, note_payment
from transactions.states import LimitWindow, TransferState

pytestmark = pytest.mark.django_db(transaction=True)

RAW_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)</div>")
PAGES = (
    "transactions_transfer",
    "transactions_hold",
    "transactions_transferbatch",
    "transactions_batchitem",
    "transactions_journal",
    "transactions_ledgeraccount",
    "transactions_payment",
    "transactions_dispute",
    "transactions_journalproposal",
    "transactions_suspenseposting",
    "transactions_registeredpayee",
    "transactions_limit",
    "transactions_feerule",
    "transactions_batchfile",
    "transactions_conversion",
    "accounts_account",
    "accounts_customer",
    "accounts_approval",
    "accounts_freeze",
    "accounts_idempotencykey",
    "accounts_partner",
    "integrations_callback",
    "integrations_dispatch",
    "audit_entry",
)


@dataclass(frozen=True, kw_only=True)
class World:
    """One row for each page."""

    company: factories.Cast
    keys: dict[str, UUID]


@pytest.fixture
def world(transactional_db: None) -> World:
    """A partner to whom a bit of everything has happened."""
    company = factories.cast()
    waiting = factories.payout(company, state=TransferState.AWAITING_APPROVAL)
    with STAGE.as_role("migrator"):
        keys = _happen(company, waiting=waiting)
    return World(company=company, keys=keys)


def _happen(company: factories.Cast, *, waiting: Transfer) -> dict[str, UUID]:
    factories.payout(company, state=TransferState.SETTLED)
    customer = factories.customer(company.portfolio)
    paid = factories.charge(company.giver)
    book_movement(actor=factories.provider(), movement=paid)
    note_payment(
        actor=factories.provider(),
        notice=factories.notice(company.giver, reference=paid.payment_ref),
    )
    objection = DisputeNotice(
        provider="stripe",
        reference="dp_1",
        payment_ref=str(paid.payment_ref),
        state=DisputeState.NEEDS_RESPONSE,
        amount_minor=10_000,
        currency="EUR",
        reason="fraudulent",
        occurred_at=timezone.now(),
    )
    note_dispute(actor=factories.provider(), notice=objection)
    freeze = freeze_account(
        actor=factories.colleague(),
        account_id=company.taker.pk,
        mode=FreezeMode.ALL,
        reason="court order",
        legal_reference="C-1",
    )
    asked = Approval.objects.get(subject_ref=freeze.audit_ref)
    decide_approval(
        actor=factories.colleague(),
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason="seen",
        shown_hash=asked.payload_hash,
    )
    callback = Callback.objects.create(
        provider="stripe",
        endpoint="main",
        event_id="evt_1",
        event_type="charge.strange",
        body=b"sealed",
        body_sha256="0" * 64,
        state="quarantined",
        detail="not understood",
        trace_id=waiting.trace_id,
    )
    dispatch = Dispatch.objects.create(
        transfer_id=waiting.pk,
        book_id=waiting.book_id,
        provider="testbank",
        act="pay",
        answer="accepted",
        duration_ms=12,
        trace_id=waiting.trace_id,
    )
    stray = factories.charge(None)
    book_movement(actor=factories.provider(), movement=stray)
    batch = factories.batch(company, factories.keyed(factories.order(company.giver)))
    assert waiting.approval_id is not None
    return {
        "transactions_journalproposal": factories.manual_journal(company).pk,
        "transactions_feerule": factories.proposed_fee(company, FeeTerms(flat_minor=25)).pk,
        "transactions_conversion": factories.conversion(
            company,
            to=factories.account(company.portfolio, currency="JPY", holding_minor=0),
        ).pk,
        "transactions_batchfile": factories.batch_file(company).pk,
        "transactions_suspenseposting": factories.suspense_of(stray).id,
        "transactions_registeredpayee": factories.registered(company).pk,
        "transactions_transfer": waiting.pk,
        "transactions_hold": waiting.hold.pk,
        "transactions_transferbatch": batch.pk,
        "transactions_batchitem": BatchItem.objects.get().pk,
        "transactions_journal": Journal.objects.filter(purpose="payout").get().pk,
        "transactions_ledgeraccount": company.giver.pk,
        "transactions_payment": Payment.objects.filter(account_id=company.giver.pk).get().pk,
        "transactions_dispute": Dispute.objects.get().pk,
        "transactions_limit": factories.limit(
            company.giver, window=LimitWindow.DAY, count_max=50
        ).pk,
        "accounts_account": company.giver.pk,
        "accounts_customer": customer.pk,
        "accounts_approval": waiting.approval_id,
        "accounts_freeze": Freeze.objects.get().pk,
        "accounts_idempotencykey": factories.used_key(company, made=waiting).pk,
        "accounts_partner": company.partner.pk,
        "integrations_callback": callback.pk,
        "integrations_dispatch": dispatch.pk,
        "audit_entry": Entry.objects.filter(action="account.frozen").get().pk,
    }


def test_no_page_that_looks_is_forgotten_here() -> None:
    looking = (page for page in site._registry.values() if isinstance(page, LookOnlyAdmin))
    assert {page.opts.label_lower.replace(".", "_") for page in looking} == set(PAGES)


def _may(role: Role, *, page: str) -> bool:
    app, _, model = page.partition("_")
    return f"{app}.view_{model}" in ROLES[role]


def _status(answer: Any) -> int:
    return int(answer.status_code)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_its_pages_and_no_other(world: World, role: Role) -> None:
    desk = seat(role)
    if role is Role.SUPPORT_AGENT:
        grant(desk, company=world.company)

    for page in PAGES:
        expected = 200 if _may(role, page=page) else 403
        listed = desk.open(f"{page}_changelist")
        assert (page, _status(listed)) == (page, expected)
        shown = desk.open(f"{page}_change", world.keys[page])
        assert (page, _status(shown)) == (page, expected)
        if expected == 200:
            assert len(listed.context["cl"].result_list) >= 1, page
            assert b"Where it stands" in shown.content, page
            assert not RAW_TIME.search(shown.content), page
            assert b"(&#x27;" not in shown.content, page
            assert b"Mustermann" not in listed.content + shown.content


def test_what_is_not_granted_does_not_exist(world: World) -> None:
    desk = seat(Role.SUPPORT_AGENT)

    for page in PAGES:
        if _may(Role.SUPPORT_AGENT, page=page):
            assert not desk.open(f"{page}_changelist").context["cl"].result_list, page
            assert _status(desk.open(f"{page}_change", world.keys[page])) == 404, page
            assert _status(desk.open(f"{page}_change", uuid7())) == 404, page
            assert _status(desk.open(f"{page}_change", "nonsense")) == 404, page
    transfer = world.keys["transactions_transfer"]
    for step in ("note", "flag", "escalate"):
        assert _status(desk.open(f"transactions_transfer_{step}", transfer)) == 404
        answer = desk.send(f"transactions_transfer_{step}", transfer, reason="x")
        assert _status(answer) == 404


@pytest.mark.parametrize("role", [Role.COMPLIANCE_OFFICER, Role.FINANCE_OPERATOR])
def test_nobody_writes_past_the_commands(world: World, role: Role) -> None:
    desk = seat(role)

    for page in PAGES:
        key = world.keys[page]
        assert _status(desk.send(f"{page}_change", key, state="settled")) == 403, page
        assert _status(desk.send(f"{page}_add")) == 403, page
        assert _status(desk.send(f"{page}_delete", key, post="yes")) == 403, page
        chosen = {"action": "delete_selected", "_selected_action": str(key)}
        desk.send(f"{page}_changelist", **chosen)
        assert _status(desk.open(f"{page}_change", key)) == 200, page


def test_lists_filter_and_find(world: World) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    transfer = Transfer.objects.get(pk=world.keys["transactions_transfer"])

    def found(page: str, **query: str) -> list[UUID]:
        rows = desk.open(f"{page}_changelist", **query).context["cl"].result_list
        return [row.pk for row in rows]

    for page, state in (
        ("accounts_approval", "open"),
        ("integrations_callback", "quarantined"),
        ("transactions_transfer", "awaiting_approval"),
        ("transactions_payment", "succeeded"),
        ("transactions_dispute", "needs_response"),
    ):
        assert world.keys[page] in found(page, state__exact=state)
        assert found(page, state__exact="nonsense") == []
    for term in (transfer.public_id, str(transfer.pk), transfer.trace_id):
        assert found("transactions_transfer", q=term) == [transfer.pk]
    assert found("integrations_callback", q="evt_1") == [world.keys["integrations_callback"]]
    assert found("integrations_callback", q="evt") == []


def test_an_empty_list_says_how_rows_come_to_be_there(transactional_db: None) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    for page in set(PAGES) - {"audit_entry", "transactions_ledgeraccount"}:  # never empty
        listed = desk.open(f"{page}_changelist")
        assert listed.context["cl"].result_list == [], page
        assert listed.context["cl"].model_admin.empty_sentence in unescape(listed.content.decode())
        searched = desk.open(f"{page}_changelist", q="nobody").content
        assert b"Nothing matches" in searched, page
        assert b"Nothing here yet" not in searched, page


def test_every_page_is_headed_by_what_it_is_about(world: World) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    for page in PAGES:
        assert b" object (" not in desk.open(f"{page}_change", world.keys[page]).content, page


def test_an_entry_shows_from_what_to_what(world: World) -> None:
    page = seat(Role.AUDITOR).open("audit_entry_change", world.keys["audit_entry"])
    text = page.content.decode()
    assert "freeze mode" in text
    assert "<td>none</td><td>all</td>" in text


def _buttons(desk: Desk, page: str, key: UUID) -> set[str]:
    offered = desk.open(f"{page}_change", key).context["actions_detail"]
    return {str(one["title"]) for one in offered}


# Taking a copy out of the house changes nothing in it, and is on record.
COPIES = {"Download", "Download results"}


def test_buttons_are_offered_to_those_who_may_press_them(world: World) -> None:
    keys = world.keys
    finance, officer = seat(Role.FINANCE_OPERATOR), seat(Role.COMPLIANCE_OFFICER)
    auditor = seat(Role.AUDITOR)

    assert _buttons(officer, "accounts_approval", keys["accounts_approval"]) == {
        "Approve",
        "Reject",
    }
    assert _buttons(finance, "accounts_approval", keys["accounts_approval"]) == set()
    assert _buttons(finance, "transactions_transfer", keys["transactions_transfer"]) == {
        "Add a note",
        "Cancel payout",
    }
    assert _buttons(officer, "accounts_account", world.company.giver.pk) == {"Freeze"}
    assert _buttons(officer, "accounts_account", world.company.taker.pk) == {"Freeze"}
    assert _buttons(officer, "accounts_freeze", keys["accounts_freeze"]) == {"Ask to lift"}
    assert _buttons(finance, "accounts_account", world.company.giver.pk) == {
        "Ask for a floor",
        "Ask for a limit",
        "Ask to close",
    }
    assert _buttons(finance, "accounts_partner", keys["accounts_partner"]) == {"Ask for a limit"}
    assert _buttons(finance, "transactions_limit", keys["transactions_limit"]) == {"Ask to change"}
    for page in PAGES:
        assert _buttons(auditor, page, keys[page]) <= COPIES, page


def test_a_batch_shows_how_far_it_is_and_its_transfers_lead_to_it(world: World) -> None:
    desk = seat(Role.COMPLIANCE_OFFICER)
    key = world.keys["transactions_transferbatch"]

    waiting = desk.open("transactions_transferbatch_change", key).content.decode()
    assert '<progress max="1" value="0" aria-label="Progress">' in waiting
    assert "0 of 1" in waiting
    with STAGE.as_role("worker"):
        carry_out_batches()
    done = desk.open("transactions_transferbatch_change", key).content.decode()
    assert '<progress max="1" value="1" aria-label="Progress">' in done
    item = BatchItem.objects.get()
    transfer = desk.open("transactions_transfer_change", item.transfer_id).content.decode()
    assert str(key) in transfer
    listed = desk.open("transactions_batchitem_changelist", batch__id__exact=str(key))
    assert [row.pk for row in listed.context["cl"].result_list] == [item.pk]
    for other in (str(uuid7()), "nonsense"):
        listed = desk.open("transactions_batchitem_changelist", batch__id__exact=other)
        assert not listed.context["cl"].result_list
