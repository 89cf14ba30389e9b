"""An account is opened by two: asked for by one, agreed to by another, in the books at once."""

import pytest

from accounts.errors import AlreadyAsked, AlreadyDecided, NameTaken, OwnRequest
from accounts.models import Account, Approval
from accounts.roles import Role
from accounts.states import AccountStatus, ApprovalState, Verdict
from audit.errors import Invalid, NotFound, NotPermitted
from audit.models import Entry, Touch
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.four_eyes import carry_out, decide, outcomes
from transactions.errors import PartnerSuspended
from transactions.models import LedgerAccount
from transactions.proposals import Opening
from transactions.rounds.approvals import CLERK
from transactions.services.books import open_account, request_opening
from transactions.services.transfers import request_transfer

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
FINANCE = factories.colleague(Role.FINANCE_OPERATOR)


@pytest.fixture
def cast() -> Cast:
    """A partner with money."""
    return factories.cast()


def asked(opening: Opening) -> Approval:
    """Ask for an account, at finance's desk."""
    return request_opening(actor=FINANCE, opening=opening)


def of(opening: Opening) -> Account | None:
    """Return the account that was asked for, if there is one."""
    return Account.objects.filter(pk=opening.id).first()


# -- two people, one account ------------------------------------------------------------------


def test_two_open_an_account_and_money_moves_on_it(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    assert of(opening) is None
    assert carry_out(request).state == ApprovalState.USED
    account = of(opening)
    assert account is not None
    assert (account.name, account.alias, account.currency, account.status) == (
        opening.name,
        opening.alias,
        "EUR",
        AccountStatus.ACTIVE,
    )
    assert (account.partner, account.portfolio, account.customer) == (
        cast.partner,
        cast.portfolio,
        None,
    )
    assert stands_at(account.pk) == (0, 0)
    with STAGE.as_role("api"):
        order = factories.order(cast.giver, amount_minor=7, to=account)
        request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert stands_at(account.pk) == (7, 0)
    assert_books_hold()


def test_it_is_on_record_who_asked_why_and_what_became_of_it(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    carry_out(request)
    told = Entry.objects.filter(target_ref=f"account:{opening.id}").order_by("id")
    asking, done = told
    assert (asking.action, done.action) == ("account.opening_requested", "account.opened")
    for entry, who in ((asking, FINANCE), (done, CLERK)):
        assert entry.actor_ref == who.ref
        assert opening.reason.encode() in bytes(entry.body)
    assert done.trace_id == request.trace_id
    touched = Touch.objects.filter(entry_id=done.pk).values_list("table_name", flat=True)
    assert set(touched) == {
        "accounts_account",
        "accounts_approval",
        "transactions_ledgeraccount",
    }
    assert Account.history.filter(id=opening.id, alias=opening.alias).count() == 1


def test_a_customers_account_is_shown_with_the_mask_and_no_more(cast: Cast) -> None:
    customer = factories.customer(cast.portfolio)
    opening = factories.opening(cast.portfolio, customer_id=customer.pk)
    request = asked(opening)
    assert request.payload["customer"] == customer.name.masked
    assert "Mustermann" not in str(request.payload)
    carry_out(request)
    account = of(opening)
    assert account is not None
    assert account.customer == customer


def test_one_alone_opens_nothing(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    with pytest.raises(OwnRequest):
        decide(request, by=factories.colleague(person_id=FINANCE.person_id))
    with STAGE.as_role("worker"), pytest.raises(AlreadyDecided):
        open_account(actor=CLERK, approval_id=request.pk)
    assert of(opening) is None


def test_a_no_opens_nothing_and_leaves_the_alias_free(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    assert carry_out(asked(opening), verdict=Verdict.REJECT).state == ApprovalState.REJECTED
    assert of(opening) is None
    again = factories.opening(cast.portfolio, alias=opening.alias)
    carry_out(asked(again))
    assert of(again) is not None


def test_an_approval_opens_one_account_however_often_it_is_carried_out(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    decide(request)
    with STAGE.as_role("worker"):
        said = outcomes(lambda: open_account(actor=CLERK, approval_id=request.pk))
    assert said == ["already_decided"] * 3 + ["done"]
    assert LedgerAccount.objects.filter(code=f"account:{opening.alias}").count() == 1
    assert_books_hold()


def test_an_approval_of_something_else_opens_nothing(cast: Cast) -> None:
    request = factories.agreed_limit(cast.giver, amount_max_minor=5)
    with STAGE.as_role("worker"), pytest.raises(NotFound):
        open_account(actor=CLERK, approval_id=request.pk)


# -- what is refused when it is asked for -----------------------------------------------------


def test_the_same_form_sent_twice_asks_once_whatever_was_decided(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    with pytest.raises(AlreadyAsked):
        asked(opening)
    carry_out(request)
    with pytest.raises(AlreadyAsked):
        asked(opening)


def test_an_alias_is_one_account_s_of_whichever_partner(cast: Cast) -> None:
    with pytest.raises(NameTaken):
        asked(factories.opening(alias=cast.giver.alias))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "XXX"),
        ("currency", "eur"),
        ("currency", ""),
        ("name", " "),
        ("name", "n" * 81),
        ("reason", " "),
        ("reason", "r" * 301),
        ("alias", ""),
        ("alias", "a" * 41),
        ("alias", "With-Capitals"),
        ("alias", "with blanks"),
        ("alias", "-dash"),
        ("alias", "two--dashes"),
        ("alias", "acc_01h455vb4pex5vsknk084sn02q"),
        ("alias", "ünlaut"),
        ("alias", "line\n"),
    ],
)
def test_what_cannot_be_is_not_asked_for(cast: Cast, field: str, value: str) -> None:
    with pytest.raises(Invalid) as wrong:
        asked(factories.opening(cast.portfolio, **{field: value}))
    assert wrong.value.fields.keys() == {field}


@pytest.mark.parametrize("whose", ["another partner's", "another portfolio's"])
def test_a_customer_of_elsewhere_gets_no_account_here(cast: Cast, whose: str) -> None:
    owner = cast.partner if whose == "another portfolio's" else None
    stranger = factories.customer(factories.portfolio(owner))
    with pytest.raises(Invalid) as wrong:
        asked(factories.opening(cast.portfolio, customer_id=stranger.pk))
    assert wrong.value.fields == {"customer": "is of another portfolio"}


@pytest.mark.parametrize("what", ["portfolio_id", "customer_id"])
def test_nobody_opens_an_account_for_what_is_not_there(cast: Cast, what: str) -> None:
    with pytest.raises(NotFound):
        asked(factories.opening(cast.portfolio, **{what: uuid7()}))


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_only_finance_asks_and_only_the_clerk_opens(cast: Cast, role: Role) -> None:
    opening, other = factories.opening(cast.portfolio), factories.colleague(role)
    with pytest.raises(NotPermitted):
        request_opening(actor=other, opening=opening)
    request = asked(opening)
    decide(request)
    for actor in (other, FINANCE, cast.actor):
        with pytest.raises(NotPermitted):
            open_account(actor=actor, approval_id=request.pk)


def test_nothing_is_asked_for_a_suspended_partner(cast: Cast) -> None:
    factories.changed(cast.partner, is_active=False)
    with pytest.raises(PartnerSuspended):
        asked(factories.opening(cast.portfolio))


# -- what changed before it was carried out ---------------------------------------------------


def test_of_two_that_want_one_alias_the_first_gets_it_and_the_other_says_so(cast: Cast) -> None:
    first = factories.opening(cast.portfolio)
    second = factories.opening(alias=first.alias)
    requests = [asked(first), asked(second)]
    assert carry_out(requests[0]).state == ApprovalState.USED
    late = carry_out(requests[1])
    assert (late.state, late.obstacle) == (ApprovalState.APPROVED, "name_taken")
    assert of(second) is None
    assert_books_hold()


def test_a_partner_suspended_meanwhile_gets_no_account(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    factories.changed(cast.partner, is_active=False)
    stuck = carry_out(request)
    assert (stuck.state, stuck.obstacle) == (ApprovalState.APPROVED, "partner_suspended")
    assert stuck.obstacle_facts == {"partner": cast.partner.public_id}
    assert of(opening) is None


def test_what_was_approved_is_not_what_there_is_now_and_opens_nothing(cast: Cast) -> None:
    opening = factories.opening(cast.portfolio)
    request = asked(opening)
    factories.changed(cast.portfolio, name="Other")
    stale = carry_out(request)
    assert (stale.state, stale.obstacle) == (ApprovalState.APPROVED, "stale_approval")
    assert stale.obstacle_facts["changed"]["portfolio"] == [cast.portfolio.name, "Other"]
    assert of(opening) is None
