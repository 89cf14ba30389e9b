"""Working off the inbox: lease a batch, read each callback, carry out what they mean, mark them.

A crash anywhere repeats into "already done": every effect has an origin or a
state that takes it once, and the lease runs out by itself.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db import DatabaseError

from accounts.roles import PROVIDER_GRANTS
from audit.actors import Actor, ActorKind
from audit.doorbell import ring
from audit.errors import NotFound, Refusal
from audit.failpoints import between_failpoints
from audit.rounds import share
from integrations.endings import Ending, ended, postponed
from integrations.models import Callback
from integrations.providers.base import Ignored, NotYet
from integrations.rounds.reading import read_all
from integrations.services.inbox import BATCH, GATHER_SECONDS, begin, lease_batch, mark
from integrations.states import CallbackState
from transactions.errors import Contradiction
from transactions.meanings import Meaning, NotUnderstood
from transactions.reports import Outcome, Report
from transactions.services.news import take_news

log = logging.getLogger(__name__)

start = between_failpoints("inbox.begin")(begin)
lease = between_failpoints("inbox.lease")(lease_batch)
finish = between_failpoints("inbox.mark")(mark)
act = between_failpoints("callback.act")(take_news)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A callback that was read, and what it means, in the order to apply it."""

    callback: Callback
    meanings: Sequence[Meaning]

    @property
    def report(self) -> Report:
        """Return it as the command takes it."""
        return Report(
            credential=self.callback.audit_ref,
            trace_id=self.callback.trace_id,
            meanings=self.meanings,
        )


def drain_inbox() -> int:
    """Work off what is due, batch by batch, as long as its share lasts; return how many were."""
    count, has_time = 0, share()
    time.sleep(GATHER_SECONDS)  # the door rings no oftener than that
    while batch := lease():
        for chunk in _chunks(batch):
            work_off(chunk)
        count += len(batch)
        if not has_time():
            ring("integrations.drain_inbox")  # the others' turn, and then ours again
            break
        if len(batch) < BATCH:
            time.sleep(GATHER_SECONDS)
    return count


def work_off(callbacks: Sequence[Callback]) -> None:
    """Carry out leased callbacks of one provider and mark them. Twice ends as once."""
    if not (begun := start(callbacks)):
        return
    told, endings = [], []
    for callback, found in zip(begun, read_all(begun), strict=True):
        if isinstance(found, Exception):
            endings.append(_unread(callback, because=found))
        else:
            told.append(Told(callback=callback, meanings=found))
    endings += _carry_out(sorted(told, key=_moment))
    finish(endings)


def _chunks(batch: Sequence[Callback]) -> list[list[Callback]]:
    """Return what to work off together: one provider's, and each suspect by itself, last."""
    suspects = [each for each in batch if each.is_suspect]
    calm = sorted((each for each in batch if each not in suspects), key=lambda each: each.provider)
    together = [list(chunk) for _, chunk in groupby(calm, key=lambda each: each.provider)]
    return [*together, *([each] for each in suspects)]


def _moment(told: Told) -> tuple[object, UUID]:
    """Return when it happened, and when it came: the order in which news is applied."""
    return min(each.occurred_at for each in told.meanings), told.callback.pk


def _unread(callback: Callback, *, because: Exception) -> Ending:
    """Return how a callback ends that could not be read."""
    match because:
        case NotUnderstood(reason=reason):
            return ended(callback, CallbackState.QUARANTINED, detail=reason)
        case Ignored(reason=reason):
            return ended(callback, CallbackState.IGNORED, detail=reason)
        case NotYet(reason=reason):
            return postponed(callback, reason=reason)
        case _:
            return _put_aside(callback, because=because)


def _put_aside(callback: Callback, *, because: Exception) -> Ending:
    """Report what went wrong with one callback, and let it be tried again."""
    match because:
        case Refusal():
            reason = str(because)
        case DatabaseError():
            reason = "database"
        case _:
            log.error("%s was put aside", callback.audit_ref, exc_info=because)
            return postponed(callback, reason="an error of ours: see the alarm")
    log.warning("callback %s: %s", callback.pk, type(because).__name__)
    return postponed(callback, reason=reason)


def _carry_out(told: Sequence[Told]) -> list[Ending]:
    """Act on callbacks of one provider together; by halves where that fails, to one by itself."""
    if not told:
        return []
    provider = told[0].callback.provider
    try:
        outcomes: Sequence[Outcome] = act(
            actor=_speaker(provider, credential=f"{len(told)} callbacks"),
            provider=provider,
            reports=[each.report for each in told],
        )
    except Exception as error:  # noqa: BLE001 - a round is a process edge: `audit.rounds`
        if len(told) == 1:
            return [_put_aside(told[0].callback, because=error)]
        log.warning("%s callbacks together: %s", len(told), type(error).__name__)
        half = len(told) // 2
        return [*_carry_out(told[:half]), *_carry_out(told[half:])]
    said = groupby(outcomes, key=lambda each: each.credential)
    return [
        _ending(each.callback, outcomes=list(mine))
        for each, (_, mine) in zip(told, said, strict=True)
    ]


def _ending(callback: Callback, *, outcomes: Sequence[Outcome]) -> Ending:
    """Return how a callback ends whose meanings had these outcomes."""
    last = outcomes[-1]
    match last.refusal:
        case Contradiction() | NotFound() as wrong:
            return ended(
                callback, CallbackState.QUARANTINED, detail=str(wrong), trace_id=last.trace_id
            )
        case Refusal() as refusal if last.is_over:
            return _put_aside(callback, because=refusal)
        case _:
            said = ", ".join(each.said for each in outcomes)
            return ended(
                callback, CallbackState.PROCESSED, detail=said, trace_id=outcomes[0].trace_id
            )


def _speaker(provider: str, *, credential: str) -> Actor:
    return Actor(
        kind=ActorKind.PROVIDER,
        id=provider,
        label=provider.capitalize(),
        credential=credential,
        grants=PROVIDER_GRANTS,
    )
