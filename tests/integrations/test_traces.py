"""Following a cause: everything on the trace of whatever was pasted, and nothing out of scope."""

from dataclasses import replace

import pytest
from django.test import Client

from accounts.roles import Role
from accounts.services.grants import grant_portfolio
from audit.actors import Actor
from audit.circumstances import under
from audit.links import PAGES, link_for
from audit.moments import Kind
from audit.typeids import typeid
from integrations.selectors.search import found_by
from integrations.selectors.traces import timeline_of, trace_of_term
from tests import factories, staff
from tests.everything import one_of_each
from tests.factories import Cast
from transactions.meanings import DisputeNotice, DisputeState, MovementKind
from transactions.models import Payment
from transactions.selectors.currencies import currencies_in
from transactions.services.movements import book_movement
from transactions.services.notices import note_dispute, note_payment
from transactions.states import TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("admin")]
STRIPE = factories.provider("stripe")
TRACE_ID = "0123456789abcdef0123456789abcdef"
NODES_MIN = 8
# An account of the books is shown as whose it is; a provider's payout has no list.
NAMED_OTHERWISE = {"ledgeraccount", "providerpayout"}


@pytest.fixture
def cast() -> Cast:
    """A partner whose accounts are empty."""
    return factories.cast(holding_minor=0)


@pytest.fixture
def payment(cast: Cast) -> Payment:
    """A payment that was charged, refunded in part and disputed, under one trace."""
    return told(cast)


@factories.set_up
def told(cast: Cast) -> Payment:
    """Tell the story as Stripe does."""
    charge = factories.charge(cast.taker, amount_minor=10_000, fee_minor=175)
    with under(trace_id=TRACE_ID):
        note_payment(
            actor=STRIPE, notice=factories.notice(cast.taker, reference=charge.payment_ref)
        )
        book_movement(actor=STRIPE, movement=charge)
        refund = factories.after(charge, kind=MovementKind.REFUND, amount_minor=2_500)
        book_movement(actor=STRIPE, movement=refund)
        note_dispute(
            actor=STRIPE,
            notice=DisputeNotice(
                provider="stripe",
                reference="dp_traced",
                payment_ref=charge.payment_ref or "",
                state=DisputeState.NEEDS_RESPONSE,
                amount_minor=7_500,
                currency=charge.currency,
                reason="fraudulent",
                occurred_at=charge.occurred_at,
            ),
        )
        withdrawn = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=7_500)
        book_movement(actor=STRIPE, movement=withdrawn)
    return Payment.objects.get()


@factories.set_up
def looking_after(cast: Cast) -> Actor:
    """Return a support agent who looks after the taker's portfolio."""
    member = staff.invite(Role.SUPPORT_AGENT)
    portfolio = cast.taker.portfolio
    grant_portfolio(actor=staff.FOUNDER, portfolio=portfolio, user=member.user)
    return agent(str(member.user_id))


def agent(user_id: str) -> Actor:
    """Return a support agent with no portfolio but those granted."""
    return replace(factories.colleague(Role.SUPPORT_AGENT), id=user_id)


def names_of(payment: Payment) -> list[str]:
    """Return everything that the payment can be asked for by."""
    return [
        payment.public_id,
        str(payment.pk),
        payment.trace_id,
        payment.reference,
        "dp_traced",
    ]


def test_every_name_leads_to_the_whole_trace_in_order(payment: Payment) -> None:
    colleague = factories.colleague()
    for name in names_of(payment):
        found = trace_of_term(name, to=colleague).moments
        assert len(found) >= NODES_MIN, name
        assert [each.at for each in found] == sorted(each.at for each in found)
        kinds = {each.kind for each in found}
        assert kinds >= {Kind.ENTRY, Kind.JOURNAL, Kind.LETTER}, name


def test_a_journal_says_what_it_moved(payment: Payment) -> None:
    moments = trace_of_term(payment.reference, to=factories.colleague()).moments
    said = [each.said for each in moments if each.kind is Kind.JOURNAL]
    assert len(said) == 3
    assert any("+100.00 EUR" in each and "clearing:stripe" in each for each in said)


def test_nothing_outside_the_portfolios_can_be_traced_or_found(payment: Payment) -> None:
    stranger = agent("01890000-0000-7000-8000-000000000000")
    for name in names_of(payment):
        assert trace_of_term(name, to=stranger).moments == [], name
        assert found_by(name, to=stranger) == [], name


def test_who_looks_after_the_account_sees_what_happened_and_no_page_beyond(
    cast: Cast, payment: Payment
) -> None:
    helper = looking_after(cast)
    moments = trace_of_term(payment.reference, to=helper).moments
    assert {Kind.ENTRY, Kind.JOURNAL} <= {each.kind for each in moments}
    assert {link_for(each.ref, to=helper) for each in moments if each.kind is Kind.ENTRY} == {""}


def test_a_name_of_nothing_finds_nothing() -> None:
    for name in ("", "nothing", "trf_", "x" * 500, "0" * 32, "%", "ch_'; --"):
        assert trace_of_term(name, to=factories.colleague()).moments == []


def test_a_timeline_holds_the_rows_own_history(payment: Payment) -> None:
    moments = timeline_of(payment, to=factories.colleague())
    changed = {
        change.field
        for each in moments
        for difference in each.differences
        if not difference.is_new
        for change in difference.changes
    }
    assert {"booked_minor", "refunded_minor", "disputed_minor"} <= changed


def test_amounts_on_a_trace_are_money_in_whichever_row(client: Client) -> None:
    paid = factories.payout(factories.cast(), state=TransferState.SETTLED)
    staff.sign_in(client, factories.set_up(staff.invite)(Role.COMPLIANCE_OFFICER))
    page = client.get("/admin/trace/", {"id": paid.public_id}).content.decode()
    assert paid.hold.captured_minor == paid.amount_minor
    assert f"<ins>{paid.money}</ins>" in page
    assert f">{paid.amount_minor}<" not in page


def test_a_conversions_amounts_are_each_in_its_own_currency() -> None:
    company = factories.cast()
    yen = factories.account(company.portfolio, currency="JPY", holding_minor=0)
    asked = factories.conversion(company, to=yen)
    found = currencies_in(timeline_of(asked, to=factories.colleague()))
    assert {field: code for (row, field), code in found.items() if row == str(asked.pk)} == {
        "sold_minor": "EUR",
        "bought_minor": "JPY",
    }


def test_whatever_has_a_page_is_found_by_its_id() -> None:
    rows = factories.set_up(one_of_each)()
    for noun, page in PAGES.items():
        label = page.table.replace("_", ".", 1)
        if page.prefix and noun not in NAMED_OTHERWISE:
            hits = found_by(typeid(page.prefix, rows[label]), to=factories.colleague())
            assert [hit.ref for hit in hits] == [f"{noun}:{rows[label]}"], label


def test_the_page_draws_links_for_each_moment(payment: Payment, client: Client) -> None:
    member = factories.set_up(staff.invite)(Role.COMPLIANCE_OFFICER)
    staff.sign_in(client, member)
    page = client.get("/admin/trace/", {"id": payment.reference}).content.decode()
    assert page.count('class="cs-node ') >= NODES_MIN
    assert "<script" not in page.partition("cs-picture")[2].partition("</svg>")[0]
    assert client.get("/admin/trace/").status_code == 200
    assert (
        payment.public_id in client.get("/admin/find/", {"q": payment.reference}).content.decode()
    )
    assert client.get("/admin/trace/", {"id": "<script>x"}).status_code == 200
