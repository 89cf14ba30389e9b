"""T12: every planted corruption is found by its own invariant, and a sound house shows none.

The corruptions are an administrator's: triggers and constraints are taken off first, and
everything is rolled back after the look.
"""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.services.grants import grant_portfolio
from accounts.states import FreezeMode, Verdict
from integrations.providers.base import Genuine
from integrations.services.inbox import receive
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.fees import FeeTerms
from transactions.meanings import MovementKind
from transactions.rounds.batches import carry_out_batches
from transactions.selectors.changes import (
    IN_OTHER_WORDS,
    LATER,
    OF_MONEY,
    OF_ROWS,
    Watermark,
    watermark,
)
from transactions.selectors.invariants import (
    INVARIANTS,
    NOT_YET,
    Invariant,
    ask,
    findings,
    violations,
)
from transactions.services.accounts import close_account, request_closing
from transactions.services.conversions import post_conversion
from transactions.services.files import start_batch
from transactions.services.freezes import FreezeTerms, freeze_account
from transactions.services.holds import capture_hold
from transactions.services.journals import post_manual_journal
from transactions.services.movements import book_movement
from transactions.services.reversals import reverse_transfer
from transactions.services.rolling import roll_up
from transactions.services.suspense import allocate_suspense
from transactions.states import LimitWindow, TransferState

pytestmark = pytest.mark.role("migrator")


def _archived(is_away: str, told: str) -> str:
    """Write a month's row, with its version and without an entry; `told` from its digest on."""
    return (
        "WITH one AS (INSERT INTO transactions_archivedmonth VALUES (uuidv7(), '2020-01-01',"
        f" {is_away}, audit_uuid_floor('2020-02-01Z'), now(), now(), 1, 2, 0, {told}) RETURNING *)"
        " INSERT INTO transactions_historicalarchivedmonth (id, month, is_away, before,"
        " occurred_until, recorded_until, journals, postings, accounts, digest, moved_at,"
        " rows_digest, history_id, history_date, history_type)"
        " SELECT *, uuidv7(), clock_timestamp(), '+' FROM one"
    )


# What is done to the tables, and the invariants that must say so. `{…}` are ids of the scene.
PLANTED: dict[str, tuple[str, set[str]]] = {
    "a posting's amount is changed": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor - 1"
            " WHERE account_id = '{giver}' AND amount_minor < 0"
        ),
        {"L1", "L2", "L3", "L5", "L6"},
    ),
    "a posting is removed": (
        "DELETE FROM transactions_posting WHERE account_id = '{taker}'",
        {"L1", "L2", "L3", "L5"},
    ),
    "a whole journal is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal"
            " WHERE subject_ref = 'transfer:{internal}' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5"},
    ),
    "two postings are bent so that all sums hold": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 2 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE subject_ref = 'transfer:{internal}')"
        ),
        {"L3", "L6"},
    ),
    "a posting's currency is another": (
        "UPDATE transactions_posting SET currency = 'USD' WHERE account_id = '{taker}'",
        {"L1", "L2"},
    ),
    "a posting says another balance after it": (
        (
            "UPDATE transactions_posting SET balance_after_minor = balance_after_minor + 1"
            " WHERE account_id = '{taker}'"
        ),
        {"L3"},
    ),
    "a posting says no balance after it": (
        "UPDATE transactions_posting SET balance_after_minor = NULL WHERE account_id = '{taker}'",
        {"L3"},
    ),
    "the order of an account's postings is turned": (
        (
            "UPDATE transactions_posting SET account_version = 1000 - account_version"
            " WHERE account_id = '{giver}'"
        ),
        {"L3"},
    ),
    "a posting is moved into another book": (
        "UPDATE transactions_posting SET book_id = '{other_book}' WHERE account_id = '{taker}'",
        {"L1", "L2"},
    ),
    "a balance is raised": (
        (
            "UPDATE transactions_balance SET posted_minor = posted_minor + 500"
            " WHERE account_id = '{giver}'"
        ),
        {"L3"},
    ),
    "a balance is below its floor": (
        (
            "UPDATE transactions_balance SET floor_minor = posted_minor + 1"
            " WHERE account_id = '{giver}'"
        ),
        {"L4", "L6"},
    ),
    "an origin has two transfers": (
        "UPDATE transactions_transfer SET origin = 'key:same'",
        {"L5", "L8"},
    ),
    "a journal's origin is another": (
        (
            "UPDATE transactions_journal SET origin = 'key:other'"
            " WHERE subject_ref = 'transfer:{internal}'"
        ),
        {"L5"},
    ),
    "an origin has no journal": (
        "INSERT INTO transactions_journalorigin (origin, journal_id) VALUES ('x', uuidv7())",
        {"L5"},
    ),
    "a transfer is called settled": (
        (
            "UPDATE transactions_transfer SET state = 'settled', settled_at = now()"
            " WHERE id = '{dispatched}'"
        ),
        {"L5", "L6", "L8"},
    ),
    "a hold is opened again": (
        "UPDATE transactions_hold SET state = 'open' WHERE transfer_id = '{failed}'",
        {"L6", "L8"},
    ),
    "a hold is smaller than its payout": (
        "UPDATE transactions_hold SET amount_minor = 1 WHERE transfer_id = '{dispatched}'",
        {"L3", "L6", "L8"},
    ),
    "a hold says that more was captured than left": (
        (
            "UPDATE transactions_hold SET captured_minor = captured_minor + 1"
            " WHERE id = '{captured}'"
        ),
        {"L6", "L8"},
    ),
    "a hold gives out more than it had": (
        "UPDATE transactions_hold SET released_minor = amount_minor WHERE id = '{captured}'",
        {"L3", "L6", "L8"},
    ),
    "a hold with money left is called expired": (
        "UPDATE transactions_hold SET state = 'expired' WHERE id = '{captured}'",
        {"L6", "L8"},
    ),
    "a capture is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal"
            " WHERE subject_ref = 'hold:{captured}' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5", "L6"},
    ),
    "a reversal is counted twice": (
        "UPDATE transactions_reversedline SET reversed_minor = reversed_minor * 2",
        {"L5"},
    ),
    "the count of a reversal is removed": (
        "DELETE FROM transactions_reversedline",
        {"L5"},
    ),
    "a transfer forgets that it was reversed": (
        "UPDATE transactions_transfer SET reversed_minor = 0 WHERE id = '{reversed}'",
        {"L5", "L6", "L8"},
    ),
    "a transfer says that more was reversed than went back": (
        "UPDATE transactions_transfer SET reversed_minor = 999 WHERE id = '{reversed}'",
        {"L6", "L8"},
    ),
    "more goes back than came": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 4 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE subject_ref = 'transfer:{reversed}'"
            " AND reverses IS NOT NULL)"
        ),
        {"L3", "L5", "L6"},
    ),
    "reserved money is let go": (
        "UPDATE transactions_balance SET pending_minor = 0 WHERE account_id = '{giver}'",
        {"L6"},
    ),
    "a freeze is forgotten by the ledger": (
        "UPDATE transactions_balance SET frozen = 0 WHERE account_id = '{frozen}'",
        {"L6"},
    ),
    "a freeze in force is forgotten on its account": (
        "UPDATE accounts_account SET freeze_mode = 'none' WHERE id = '{frozen}'",
        {"L6", "L8"},
    ),
    "the ledger holds back less than was ordered": (
        "UPDATE transactions_balance SET held_back_minor = 1 WHERE account_id = '{frozen}'",
        {"L6"},
    ),
    "a freeze is lifted by one alone": (
        "UPDATE accounts_freeze SET state = 'lifted', lifted_at = now() WHERE mode = 'amount'",
        {"L6", "L8", "L11"},
    ),
    "a freeze is called confirmed": (
        "UPDATE accounts_freeze SET confirmed_at = now()",
        {"L8", "L11"},
    ),
    "an account is closed by one alone, with money on it": (
        "UPDATE accounts_account SET closed_at = now() WHERE id = '{giver}'",
        {"L6", "L8", "L11"},
    ),
    "a closed account receives money": (
        (
            "UPDATE transactions_balance SET posted_minor = posted_minor + 500"
            " WHERE account_id = '{closed}'"
        ),
        {"L3", "L6"},
    ),
    "the ledger lets an account sink below its floor": (
        "UPDATE transactions_balance SET floor_minor = -1 WHERE account_id = '{taker}'",
        {"L6"},
    ),
    "a row is changed past the trigger": (
        "UPDATE transactions_transfer SET reference = 'forged' WHERE id = '{internal}'",
        {"L8"},
    ),
    "a row is set back to what it was": (
        (
            "UPDATE transactions_transfer AS t SET state = v.state, claimed_at = v.claimed_at,"
            " ask_at = v.ask_at FROM transactions_historicaltransfer AS v"
            " WHERE v.id = t.id AND t.id = '{dispatched}' AND v.state = 'accepted'"
        ),
        {"L8"},
    ),
    "a hold is removed": (
        "DELETE FROM transactions_hold WHERE transfer_id = '{dispatched}'",
        {"L3", "L6", "L8"},
    ),
    "a grant is taken away unseen": (
        "DELETE FROM accounts_portfoliouserperm",
        {"L8"},
    ),
    "an act is put in somebody else's name": (
        "UPDATE audit_entry SET actor_ref = 'staff:x' WHERE target_ref = 'transfer:{dispatched}'",
        {"L8"},
    ),
    "a touch is of another transaction": (
        "UPDATE audit_touch SET xact = 1 WHERE row_id = '{dispatched}'",
        {"L8"},
    ),
    "a journal is of a transaction that nobody saw": (
        ("UPDATE transactions_journal SET xact = 1 WHERE subject_ref = 'transfer:{internal}'"),
        {"L8"},
    ),
    "a row is changed together with its version": (
        (
            "WITH forged AS (UPDATE transactions_transfer SET reference = 'forged'"
            " WHERE id = '{internal}' RETURNING *) INSERT INTO transactions_historicaltransfer"
            " SELECT (jsonb_populate_record(NULL::transactions_historicaltransfer,"
            " to_jsonb(forged) || jsonb_build_object('history_id', uuidv7(),"
            " 'history_date', clock_timestamp(), 'history_type', '~', 'history_trace_id', '',"
            " 'history_actor', 'system:worker'))).* FROM forged"
        ),
        {"L8"},
    ),
    "an entry is removed": (
        "DELETE FROM audit_entry WHERE target_ref = 'transfer:{dispatched}'",
        {"L8"},
    ),
    "a touch is removed": (
        "DELETE FROM audit_touch WHERE row_id = '{dispatched}'",
        {"L8"},
    ),
    "a touched row is removed": (
        "DELETE FROM transactions_limit",
        {"L3", "L8"},
    ),
    "a limit's counter is turned back": (
        (
            "UPDATE transactions_limituse SET amount_minor = amount_minor - 1"
            " WHERE subject_id = '{giver}' AND kind = 'internal'"
        ),
        {"L3"},
    ),
    "a partner's counter forgets how often": (
        "UPDATE transactions_limituse SET times = 0 WHERE subject_id = '{book}'",
        {"L3"},
    ),
    "a limit's counter is removed": (
        "DELETE FROM transactions_limituse WHERE subject_id = '{giver}' AND kind = 'payout'",
        {"L3"},
    ),
    "a limit is raised alone": (
        "UPDATE transactions_limit SET amount_max_minor = amount_max_minor + 1",
        {"L8", "L11"},
    ),
    "a version is removed": (
        (
            "DELETE FROM transactions_historicaltransfer"
            " WHERE id = '{dispatched}' AND state = 'accepted'"
        ),
        {"L8"},
    ),
    "an entry tells of a change that was not made": (
        (
            "INSERT INTO audit_touch (entry_id, table_name, row_id, xact, before, after)"
            " SELECT id, 'transactions_transfer', '{internal}', xact, NULL, '{{\"state\": \"x\"}}'"
            " FROM audit_entry WHERE action = 'partner.onboarded' ORDER BY id DESC LIMIT 1"
        ),
        {"L8"},
    ),
    "a processed callback says nothing": (
        "UPDATE integrations_callback SET state = 'processed', detail = ''",
        {"L9"},
    ),
    "a callback says it booked what is not there": (
        (
            "UPDATE integrations_callback SET state = 'processed', detail = 'booked charge',"
            " processed_at = now()"
        ),
        {"L9"},
    ),
    "a decision is the maker's own": (
        "UPDATE accounts_decision SET checker_party = maker_party",
        {"L8", "L11"},
    ),
    "an approval is approved by nobody": (
        "UPDATE accounts_approval SET state = 'approved', decided_at = now() WHERE state = 'open'",
        {"L8", "L11"},
    ),
    "a payout left on an open request": (
        "UPDATE transactions_transfer SET state = 'accepted' WHERE state = 'awaiting_approval'",
        {"L8", "L11"},
    ),
    "money left one book and arrived in no other": (
        (
            "UPDATE transactions_ledgeraccount SET code = 'clearing:nowhere'"
            " WHERE code = 'interbook:house'"
        ),
        {"L2", "L8"},
    ),
    "of what one partner's book owes another's, a part is gone": (
        (
            "WITH bent AS (UPDATE transactions_posting SET amount_minor = amount_minor - 1"
            " WHERE account_id = '{landed}' RETURNING journal_id)"
            " UPDATE transactions_posting AS p SET amount_minor = p.amount_minor + 1 FROM bent"
            " WHERE p.journal_id = bent.journal_id AND p.account_id <> '{landed}'"
        ),
        {"L2", "L3", "L6"},
    ),
    "a fee is more than its rule says": (
        "UPDATE transactions_transfer SET fee_minor = fee_minor + 1 WHERE fee_minor > 0",
        {"L6", "L8"},
    ),
    "a fee's journal is removed": (
        (
            "WITH gone AS (DELETE FROM transactions_journal WHERE purpose = 'fee' RETURNING id)"
            " DELETE FROM transactions_posting USING gone WHERE journal_id = gone.id"
        ),
        {"L3", "L5", "L6"},
    ),
    "a fee rule charges more than was signed": (
        "UPDATE transactions_feerule SET flat_minor = flat_minor + 1 WHERE state = 'in_force'",
        {"L6", "L8", "L11"},
    ),
    "a conversion moves more than was signed": (
        (
            "UPDATE transactions_posting SET amount_minor = amount_minor * 2 WHERE journal_id IN"
            " (SELECT id FROM transactions_journal WHERE purpose = 'conversion')"
            " AND currency = 'EUR'"
        ),
        {"L3", "L6"},
    ),
    "a suspense item forgets what was allocated": (
        "UPDATE transactions_suspensetally SET allocated_minor = 0",
        {"L6"},
    ),
    "a journal by hand has no signature": (
        (
            "UPDATE transactions_journal SET subject_ref = 'journalproposal:none'"
            " WHERE purpose = 'manual'"
        ),
        {"L11"},
    ),
    "a batch of staff rests on nobody's word": (
        "UPDATE transactions_transferbatch SET approval_id = NULL",
        {"L8", "L11"},
    ),
    "a file says other than what was signed": (
        "UPDATE transactions_batchfile SET rows_sha256 = 'other'",
        {"L11"},
    ),
    "a payee is paid elsewhere": (
        "UPDATE transactions_registeredpayee SET iban_id = name_id",
        {"L8", "L11"},
    ),
    "a roll-up tells of money that never moved": (
        (
            "INSERT INTO transactions_movement (account_id, clock, grain, begins_at, amount_minor,"
            " postings, first_id, last_id, is_cut) VALUES ('{giver}', 'recorded', 0,"
            " date_trunc('month', now()), 5, 1, uuidv7(), uuidv7(), true)"
        ),
        {"L3"},
    ),
    "a closed month's balances are not those that were closed": (
        (
            "INSERT INTO transactions_closedmonth (month, closed_at, accounts, digest)"
            " VALUES ('2020-01-01', now(), 0, 'none')"
        ),
        {"L3"},
    ),
    "a month is said to be here that is not": (
        _archived("false", "'none', now(), ''"),
        {"L3", "L8"},
    ),
    "a row of a month that is away is another": (
        _archived("true", "ledger_digest_of('2020-01-01'), now(), 'none'"),
        {"L3", "L8"},
    ),
}

# What each corruption broke, planted once: in everything, and in what changed in the scene.
SEEN: dict[str, tuple[set[Invariant], set[Invariant]]] = {}


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """A house where everything has happened once; the ids that corruptions speak of."""
    with django_db_blocker.unblock():
        STAGE.enter("migrator")
        factories.payout(factories.cast(), state=TransferState.RETURNED)
        for _ in range(2):  # the first sets a mark, the second finds all before it done
            roll_up()
        BEFORE.append(watermark())
        yield _scene()
        STAGE.reclone()


# Where the scene began.
BEFORE: list[Watermark] = []


def _scene() -> dict[str, str]:
    cast, other = factories.cast(), factories.cast()
    factories.payout(cast, state=TransferState.RETURNED)
    failed = factories.payout(cast, state=TransferState.FAILED)
    factories.payout(cast, state=TransferState.REJECTED)
    dispatched = factories.payout(cast, state=TransferState.DISPATCHED)
    factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    _bring_money_in(cast)
    _let_finance_act(cast)
    freeze_account(
        actor=factories.colleague(),
        account_id=other.giver.pk,
        mode=FreezeMode.ALL,
        reason="test",
        legal_reference="",
    )
    freeze_account(
        actor=factories.colleague(),
        account_id=other.giver.pk,
        mode=FreezeMode.AMOUNT,
        reason="test",
        legal_reference="",
        terms=FreezeTerms(amount_minor=5_000),
    )
    _close(other)
    for subject in (cast.giver, cast.partner):
        factories.limit(subject, window=LimitWindow.DAY, amount_max_minor=factories.RICH_MINOR)
    third = factories.cast()
    factories.between(cast, third)
    factories.fee(third, FeeTerms(flat_minor=25, bps=15))
    factories.internal(third, amount_minor=700)
    captured, back = factories.hold(cast), factories.internal(cast)
    capture_hold(
        actor=cast.actor, hold_id=captured.pk, origin=factories.origin(), amount_minor=300
    )
    reverse_transfer(
        actor=cast.actor,
        transfer_id=back.pk,
        origin=factories.origin(),
        amount_minor=300,
        reason="half of it",
    )
    officer = factories.officer()
    grant_portfolio(
        actor=factories.FOUNDER,
        portfolio=cast.portfolio,
        user=User.objects.get(pk=officer.id),
    )
    receive(
        "stripe",
        endpoint="main",
        event=Genuine(event_id="evt_1", event_type="charge.succeeded"),
        body=b"{}",
    )
    return {
        "giver": str(cast.giver.pk),
        "taker": str(cast.taker.pk),
        "frozen": str(other.giver.pk),
        "closed": str(other.taker.pk),
        "book": str(cast.partner.book_id),
        "other_book": str(other.partner.book_id),
        "internal": str(factories.internal(cast).pk),
        "failed": str(failed.pk),
        "captured": str(captured.pk),
        "reversed": str(back.pk),
        "landed": str(third.taker.pk),
        "dispatched": str(dispatched.pk),
    }


def _close(other: Cast) -> None:
    finance = factories.colleague(Role.FINANCE_OPERATOR)
    asked = request_closing(actor=finance, account_id=other.taker.pk, reason="test")
    decide_approval(
        actor=factories.colleague(),
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason="test",
        shown_hash=asked.payload_hash,
    )
    close_account(actor=factories.SYSTEM, approval_id=asked.pk)


def _bring_money_in(cast: Cast) -> None:
    charge = factories.charge(cast.giver)
    book_movement(actor=factories.provider(), movement=charge)
    refund = factories.after(charge, kind=MovementKind.REFUND, amount_minor=-2_500)
    book_movement(actor=factories.provider(), movement=refund)


def _let_finance_act(cast: Cast) -> None:
    stray = factories.charge(None)
    book_movement(actor=factories.provider(), movement=stray)
    allocation = factories.allocation(cast, item=factories.suspense_of(stray))
    journal = factories.manual_journal(cast)
    yen = factories.account(cast.portfolio, currency="JPY", holding_minor=0)
    exchange = factories.conversion(cast, to=yen)
    for asked, act in (
        (allocation, allocate_suspense),
        (journal, post_manual_journal),
        (exchange, post_conversion),
    ):
        factories.signed(asked.approval)
        act(actor=factories.SYSTEM, approval_id=asked.approval_id)
    factories.registered(cast)
    request = factories.batch_asked_for(factories.batch_file(cast))
    factories.signed(request)
    start_batch(actor=factories.SYSTEM, approval_id=request.pk)
    carry_out_batches()


def test_a_sound_house_breaks_nothing(scene: dict[str, str]) -> None:
    assert scene
    assert_books_hold()


@pytest.mark.parametrize("what", PLANTED)
def test_t12_a_planted_corruption_is_found(scene: dict[str, str], what: str) -> None:
    _, wanted = PLANTED[what]
    found, in_changes = _broken_by(scene, what=what)
    assert {invariant.name for invariant in found} == wanted
    assert in_changes == {invariant for invariant in found if invariant.promise not in LATER}


def _broken_by(scene: dict[str, str], *, what: str) -> tuple[set[Invariant], set[Invariant]]:
    """Plant a corruption, check, take it back; return the invariants that saw it, both ways."""
    if what not in SEEN:
        with transaction.atomic(), connection.cursor() as cursor:
            _lift_the_defences()
            cursor.execute(PLANTED[what][0].format(**scene))
            assert cursor.rowcount, "nothing was planted"
            broken = {found.invariant for found in findings() if found.violations}
            again = {each for each in broken if each.changes and _is_seen_in_changes(each)}
            SEEN[what] = broken, again
            transaction.set_rollback(True)
    return SEEN[what]


def _is_seen_in_changes(invariant: Invariant) -> bool:
    return bool(ask(invariant, since=BEFORE[0]).violations)


def _lift_the_defences() -> None:
    """Take off triggers and constraints, as only the tables' owner can."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgparentid = 0"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE conrelid::regclass::text ~ '^(accounts|transactions)_'"
            " AND contype IN ('c', 'f') OR conname = 'transfer_origin_once'"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE')


def test_every_invariant_was_seen_broken(scene: dict[str, str]) -> None:
    """No invariant is there only for show: each is broken by a corruption above."""
    broken = set().union(*(_broken_by(scene, what=what)[0] for what in PLANTED))
    assert {each.promise for each in INVARIANTS} - {each.promise for each in broken} == set()


def test_what_changed_is_asked_every_promise_that_is_not_of_all_time() -> None:
    promises = {each.promise: each for each in INVARIANTS}
    assert set(promises) >= OF_MONEY | OF_ROWS | set(IN_OTHER_WORDS) | LATER
    assert {name for name, each in promises.items() if not each.changes} == LATER


def test_what_changed_is_sound_where_everything_is(scene: dict[str, str]) -> None:
    assert scene
    assert not [found for found in findings(since=BEFORE[0]) if found.violations]


def test_every_promise_of_the_house_is_checked_or_said_to_be_not_yet() -> None:
    kept = {each.name for each in INVARIANTS}
    assert kept | set(NOT_YET) == {f"L{number}" for number in range(1, 13)}
    assert not kept & set(NOT_YET)


def test_ledger_check_ends_with_one_when_something_is_broken(scene: dict[str, str]) -> None:
    said = StringIO()
    call_command("ledger_check", stdout=said)
    assert "All invariants hold." in said.getvalue()
    with transaction.atomic(), connection.cursor() as cursor:
        _lift_the_defences()
        cursor.execute(PLANTED["a balance is raised"][0].format(**scene))
        said = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("ledger_check", stdout=said)
        transaction.set_rollback(True)
    assert ended.value.code == 1
    assert scene["giver"] in said.getvalue()
    assert "1 broken" in said.getvalue()


@pytest.mark.role("worker")
def test_beat_may_check_the_books(scene: dict[str, str]) -> None:
    assert scene
    assert violations() == []
