"""T44: when the log cannot be written, nothing happens: no effect without its entry."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import Error, connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.services.approvals import decide_approval
from accounts.states import FreezeMode, Verdict
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from transactions.services.dispatching import claim_transfer, fail_transfer, settle_transfer
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.notices import note_payment
from transactions.services.transfers import cancel_transfer, flag_transfer, request_transfer
from transactions.states import TransferState

pytestmark = pytest.mark.role("admin")
ERRORS_FULL = 1_000
DISK_FULL = """
    CREATE FUNCTION fault_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault_disk_full()
"""
DISK_FREED = "DROP TRIGGER fault ON {table}; DROP FUNCTION fault_disk_full()"
CONSTRAINED = "ALTER TABLE {table} ADD CONSTRAINT fault CHECK (false) NOT VALID"
LIFTED = "ALTER TABLE {table} DROP CONSTRAINT fault"

# How the log breaks, and how it is mended.
FAULTS: dict[str, tuple[str, str]] = {
    "the permission is revoked": (
        "REVOKE EXECUTE ON FUNCTION audit_record(jsonb) FROM cs_admin, cs_api, cs_worker",
        "GRANT EXECUTE ON FUNCTION audit_record(jsonb) TO cs_admin, cs_api, cs_worker",
    ),
    "the function's owner may not write": (
        "REVOKE INSERT ON audit_entry FROM cs_definer",
        "GRANT INSERT ON audit_entry TO cs_definer",
    ),
    "entries break a constraint": (
        CONSTRAINED.format(table="audit_entry"),
        LIFTED.format(table="audit_entry"),
    ),
    "touches break a constraint": (
        CONSTRAINED.format(table="audit_touch"),
        LIFTED.format(table="audit_touch"),
    ),
    "the disk is full for entries": (
        DISK_FULL.format(table="audit_entry"),
        DISK_FREED.format(table="audit_entry"),
    ),
    "the disk is full for touches": (
        DISK_FULL.format(table="audit_touch"),
        DISK_FREED.format(table="audit_touch"),
    ),
}


@dataclass(frozen=True)
class Deed:
    """One command that would succeed if the log could be written, and the login it runs as."""

    role: str
    act: Callable[[], Any]


@pytest.fixture(scope="module")
def deeds(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Deed]]:
    """A house in which every deed below is possible, and stays so as long as none succeeds."""
    with django_db_blocker.unblock():
        STAGE.enter("admin")
        yield _deeds()
        STAGE.reclone()


def _deeds() -> dict[str, Deed]:
    cast, now = factories.cast(), timezone.now()
    sent = factories.payout(cast, state=TransferState.DISPATCHED)
    waiting = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    accepted = factories.payout(cast)
    approval = waiting.approval
    assert approval is not None
    bank, stripe, officer = (
        factories.provider("testbank"),
        factories.provider(),
        factories.colleague(),
    )

    def ask(**order: Any) -> None:
        request_transfer(
            actor=cast.actor,
            order=factories.order(cast.giver, **order),
            origin=factories.origin(),
        )

    settle = partial(settle_transfer, provider_ref="pay_1", occurred_at=now)
    fail = partial(fail_transfer, reason="closed", occurred_at=now)
    return {
        "a transfer": Deed("api", partial(ask, to=cast.taker)),
        "a payout": Deed("api", ask),
        "a large payout": Deed("api", partial(ask, amount_minor=factories.THRESHOLD_MINOR)),
        "calling off": Deed(
            "api", partial(cancel_transfer, actor=cast.actor, transfer_id=accepted.pk)
        ),
        "a decision": Deed(
            "admin",
            partial(
                decide_approval,
                actor=officer,
                approval_id=approval.pk,
                verdict=Verdict.APPROVE,
                reason="fine",
                shown_hash=approval.payload_hash,
            ),
        ),
        "a freeze": Deed(
            "admin",
            partial(
                freeze_account,
                actor=officer,
                account_id=factories.account(cast.portfolio).pk,
                mode=FreezeMode.ALL,
                reason="test",
                legal_reference="",
            ),
        ),
        "a flag": Deed(
            "admin",
            partial(flag_transfer, actor=officer, transfer_id=accepted.pk, reason="odd"),
        ),
        "a claim": Deed("worker", partial(claim_transfer, actor=factories.SYSTEM)),
        "a settlement": Deed("worker", partial(settle, actor=bank, transfer_id=sent.pk)),
        "a failure": Deed("worker", partial(fail, actor=bank, transfer_id=sent.pk)),
        "money in": Deed(
            "worker",
            lambda: book_movement(actor=stripe, movement=factories.charge(cast.giver)),
        ),
        "a notice": Deed(
            "worker", lambda: note_payment(actor=stripe, notice=factories.notice(cast.giver))
        ),
    }


@contextmanager
def broken_log(fault: str) -> Iterator[None]:
    """Break the log for a while, as the migrator, beside whoever works."""
    breaks, mends = FAULTS[fault]
    with psycopg.connect(STAGE.address, dbname=STAGE.name, autocommit=True) as owner:
        owner.execute(breaks)
        try:
            yield
        finally:
            owner.execute(mends)


def traces() -> dict[str, str | None]:
    """Return a digest of every table of ours, whole."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND relname ~ '^(accounts|audit|transactions|integrations)_'"
        )
        names = [name for (name,) in cursor.fetchall()]
        digests = ", ".join(
            f"(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} AS t)"
            for name in names
        )
        cursor.execute(f"SELECT {digests}")
        return dict(zip(names, cursor.fetchone(), strict=True))


def fail_closed(deed: Deed, *, fault: str) -> None:
    """Try a deed while the log is broken: it must fail as a fault."""
    with STAGE.as_role(deed.role):
        connection.ensure_connection()
        with broken_log(fault), pytest.raises(Error):
            deed.act()


@pytest.mark.parametrize("fault", FAULTS)
def test_t44_short_nothing_happens_when_the_log_cannot_be_written(
    deeds: dict[str, Deed], fault: str
) -> None:
    before = traces()
    for deed in deeds.values():
        fail_closed(deed, fault=fault)
    assert traces() == before
    assert_books_hold()


@pytest.mark.full
def test_t44_a_thousand_audit_errors_and_no_effect_without_its_entry(
    deeds: dict[str, Deed],
) -> None:
    dice, before = random.Random(44), traces()  # noqa: S311 - picks cases, guards nothing
    for number in range(1, ERRORS_FULL + 1):
        deed, fault = dice.choice(list(deeds)), dice.choice(list(FAULTS))
        fail_closed(deeds[deed], fault=fault)
        if number % 50 == 0:
            assert traces() == before, f"{deed} when {fault}"
    print(  # noqa: T201 - what the proof shows
        f"T44: {ERRORS_FULL} audit errors over {len(deeds)} commands and {len(FAULTS)} faults:"
        " 0 effects"
    )
    assert_books_hold()


def test_not_even_a_refusal_is_given_unwritten(deeds: dict[str, Deed]) -> None:
    """Who hears a no that left no trace could try again unseen."""
    greedy = factories.cast()
    assert deeds
    order = factories.order(greedy.giver, amount_minor=factories.RICH_MINOR + 1)
    ask = partial(request_transfer, actor=greedy.actor, order=order, origin=factories.origin())
    before = traces()
    fail_closed(Deed("api", ask), fault="the permission is revoked")
    assert traces() == before


def test_control_each_of_them_succeeds_once_the_log_is_mended(deeds: dict[str, Deed]) -> None:
    """So it was the log, and nothing else, that stopped them. A settled payout cannot fail too."""
    for name in sorted(set(deeds) - {"a failure", "calling off"}):
        written = _entries()
        with STAGE.as_role(deeds[name].role):
            deeds[name].act()
        assert _entries() == written + 1, name
    assert_books_hold()


def _entries() -> int:
    return Entry.objects.count()
