"""How the books of a running house stand against the ending of a story. Reads only."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from config.sandbox.stories.telling import Booked, Ending, Fate
from integrations.models import Callback
from integrations.states import CallbackState
from transactions.models import (
    Dispute,
    JournalOrigin,
    LedgerAccount,
    Payment,
    Posting,
    ProviderPayout,
)
from transactions.money import Money

PROVIDER = "stripe"
CLEARING = f"clearing:{PROVIDER}"
SUSPENSE = "suspense"


@dataclass(frozen=True, slots=True)
class Line:
    """One posting as it is shown: account code, amount, currency."""

    code: str
    amount_minor: int
    currency: str


def is_drained(ending: Ending) -> bool:
    """Say whether every event of a story that was let in has been worked off."""
    taken = [event_id for event_id, fate in ending.fates.items() if fate is not Fate.REFUSED]
    rows = Callback.objects.filter(provider=PROVIDER, event_id__in=taken)
    done = rows.exclude(state=CallbackState.RECEIVED).values_list("event_id", flat=True)
    return set(done) == set(taken)


def differences(ending: Ending) -> list[str]:
    """Return where the house stands otherwise than the story says; nothing when all is well."""
    return [
        *_wrong_fates(ending),
        *_wrong_states(ending),
        *(wrong for booked in ending.booked for wrong in _wrong_journal(booked)),
    ]


def lines_of(ending: Ending) -> list[str]:
    """Return what the journals of a story did to each account, in words."""
    total: Counter[tuple[str, str]] = Counter()
    for booked in ending.booked:
        for line in _lines(booked.origin):
            total[line.code, line.currency] += line.amount_minor
    return [f"{code} {Money(amount, currency)}" for (code, currency), amount in total.items()]


def currencies_of(account_ids: list[str]) -> dict[str, str]:
    """Return the currency of each of these ledger accounts, by id."""
    found = LedgerAccount.objects.filter(pk__in=account_ids).values_list("pk", "currency")
    return {str(key): currency for key, currency in found}


def _lines(origin: str) -> list[Line]:
    journals = JournalOrigin.objects.filter(origin=origin).values_list("journal_id", flat=True)
    postings = list(Posting.objects.filter(journal_id__in=list(journals)))
    accounts = LedgerAccount.objects.in_bulk([each.account_id for each in postings])
    return [
        Line(accounts[each.account_id].code, each.amount_minor, each.currency) for each in postings
    ]


def _wrong_fates(ending: Ending) -> Iterator[str]:
    rows = Callback.objects.filter(provider=PROVIDER, event_id__in=list(ending.fates))
    found = {row.event_id: row for row in rows}
    for event_id, fate in ending.fates.items():
        row = found.get(event_id)
        state = Fate.REFUSED if row is None else row.state
        if state != fate:
            why = f" ({row.detail})" if row is not None and row.detail else ""
            yield f"{event_id} is {state}{why}, not {fate}"


def _wrong_states(ending: Ending) -> Iterator[str]:
    payments = {
        row.reference: (row.state, row.refunded_minor)
        for row in Payment.objects.filter(provider=PROVIDER, reference__in=list(ending.payments))
    }
    disputes = Dispute.objects.filter(provider=PROVIDER, reference__in=list(ending.disputes))
    payouts = ProviderPayout.objects.filter(provider=PROVIDER, reference__in=list(ending.payouts))
    found: dict[str, object] = {
        **payments,
        **{row.reference: row.state for row in disputes},
        **{row.reference: row.state for row in payouts},
    }
    wanted: dict[str, object] = {**ending.payments, **ending.disputes, **ending.payouts}
    for reference, state in wanted.items():
        if found.get(reference) != state:
            yield f"{reference} is {found.get(reference)}, not {state}"


def _wrong_journal(booked: Booked) -> Iterator[str]:
    lines = _lines(booked.origin)
    if not lines:
        yield f"{booked.origin} ({booked.kind}) is not booked"
        return
    if sum(line.amount_minor for line in lines):
        yield f"{booked.origin} does not balance"
    net = booked.amount_minor - booked.fee_minor
    if -net != sum(line.amount_minor for line in lines if line.code == CLEARING):
        yield f"{booked.origin} does not move {net} at the provider"
    if any(line.code == SUSPENSE for line in lines) is not booked.is_suspended:
        yield f"{booked.origin} is {'not ' if booked.is_suspended else ''}in suspense"
