"""The bank paid, said it failed, and denies it beyond its own window: only the key is left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from accounts.states import FreezeMode
from integrations.models import Dispatch
from integrations.rounds.dispatching import ask_providers, send_payouts
from integrations.states import DispatchAct
from tests import factories
from tests.books import assert_books_hold
from tests.faults.conftest import Doubles
from tests.faults.scene import ask_payout, set_the_scene
from transactions.models import Transfer
from transactions.services.freezes import freeze_account
from transactions.states import TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]
DENIED_SECONDS = 3_600
As = Callable[[str], AbstractContextManager[None]]


def ask_later(hours: int) -> None:
    """Ask so late that every silence is too long, and every window over by our clock."""
    later = timezone.now() + timedelta(hours=hours)
    with patch("django.utils.timezone.now", return_value=later):
        ask_providers()


def test_a_payment_that_its_bank_denies_is_sent_again_under_its_key_and_paid_once(
    outside: Doubles, as_role: As
) -> None:
    pace = {"window_seconds": DENIED_SECONDS}
    outside.bank.call("POST", "/_control/behaviour", form={"lies": [], "pace": pace})
    with as_role("migrator"):
        scene = set_the_scene()
    with as_role("api"):
        asked = ask_payout(scene, amount_minor=700, name="Jane FORGETFUL Doe")

    send_payouts()
    assert Transfer.objects.get().state == TransferState.UNKNOWN
    ask_later(1)  # it never heard of it, it says: the same request goes again
    assert Dispatch.objects.filter(act=DispatchAct.PAY).count() == 2
    moved = outside.bank.times_moved(asked.public_id)
    assert moved == 1, f"the bank paid {moved} times"
    outside.bank.call("POST", "/_control/advance", form={"seconds": DENIED_SECONDS})
    ask_later(2)

    assert Transfer.objects.get().state == TransferState.SETTLED
    with as_role("migrator"):
        assert_books_hold()


def test_what_its_bank_denies_and_a_freeze_keeps_back_is_asked_about_ever_more_seldom(
    outside: Doubles, as_role: As
) -> None:
    pace = {"window_seconds": DENIED_SECONDS}
    outside.bank.call("POST", "/_control/behaviour", form={"lies": [], "pace": pace})
    with as_role("migrator"):
        scene = set_the_scene()
    with as_role("api"):
        ask_payout(scene, amount_minor=700, name="Jane FORGETFUL Doe")
    send_payouts()
    with as_role("admin"):
        freeze_account(
            actor=factories.colleague(),
            account_id=scene.account.pk,
            mode=FreezeMode.DEBITS,
            reason="sanctions",
            legal_reference="L-1",
        )

    for _ in range(3):
        ask_later(1)
    assert Dispatch.objects.filter(act=DispatchAct.INQUIRE).count() == 1
    kept = Transfer.objects.get()
    assert kept.state == TransferState.UNKNOWN
    assert kept.ask_at is not None
    assert kept.ask_at > timezone.now() + timedelta(hours=1, minutes=5)
    with as_role("migrator"):
        assert_books_hold()
