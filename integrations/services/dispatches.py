"""Keeping one line for each call to a provider."""

from audit.circumstances import current
from integrations.models import Dispatch
from integrations.providers.base import Accepted, Declined, NeverHeard, Unknown
from integrations.states import DispatchAct, DispatchAnswer
from transactions.meanings import TransferNotice, TransferState
from transactions.models import Transfer

DETAIL_CHARS_MAX = 200

ANSWERS = {
    TransferState.ACCEPTED: DispatchAnswer.ACCEPTED,
    TransferState.SETTLED: DispatchAnswer.SETTLED,
    TransferState.FAILED: DispatchAnswer.DECLINED,
    TransferState.RETURNED: DispatchAnswer.RETURNED,
}


def log_dispatch(
    transfer: Transfer,
    act: DispatchAct,
    *,
    answer: Accepted | Declined | Unknown | NeverHeard | TransferNotice,
    seconds: float,
) -> Dispatch:
    """Write down what was asked, what was answered and how long it took."""
    said, detail = _spell(answer)
    return Dispatch.objects.create(
        transfer_id=transfer.pk,
        book_id=transfer.book_id,
        provider=transfer.provider,
        act=act,
        answer=said,
        detail=detail[:DETAIL_CHARS_MAX],
        duration_ms=int(seconds * 1000),
        trace_id=current().trace_id,
    )


def _spell(
    answer: Accepted | Declined | Unknown | NeverHeard | TransferNotice,
) -> tuple[DispatchAnswer, str]:
    match answer:
        case Accepted(provider_ref=ref):
            return DispatchAnswer.ACCEPTED, ref
        case Declined(reason=reason):
            return DispatchAnswer.DECLINED, reason
        case Unknown(because=because):
            return DispatchAnswer.UNKNOWN, because
        case NeverHeard():
            return DispatchAnswer.NEVER_HEARD, ""
        case TransferNotice(state=state, provider_ref=ref):
            return ANSWERS[state], ref
