"""Which trace a piece of news belongs to: that of the row it speaks of."""

from uuid import UUID

from audit.typeids import parse_typeid
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    PaymentNotice,
    PayoutNotice,
    TransferNotice,
)
from transactions.models import Payment, ProviderPayout, Transfer


def trace_of(meaning: Meaning) -> str | None:
    """Return the trace id that this news continues, None where it begins one."""
    match meaning:
        case Movement():
            return _of_payment(meaning.provider, meaning.payment_ref) or _of_payout(
                meaning.provider, meaning.subject_ref
            )
        case PaymentNotice():
            return _of_payment(meaning.provider, meaning.reference) or _of_payment(
                meaning.provider, meaning.intent_ref
            )
        case DisputeNotice():
            return _of_payment(meaning.provider, meaning.payment_ref)
        case PayoutNotice():
            return _of_payout(meaning.provider, meaning.reference)
        case TransferNotice():
            return _of_transfer(meaning.reference)


def _of_payment(provider: str, /, reference: str | None) -> str | None:
    if not reference:
        return None
    known = Payment.objects.filter(provider=provider)
    found = known.filter(reference=reference) | known.filter(intent_ref=reference)
    return found.values_list("trace_id", flat=True).first()


def _of_payout(provider: str, /, reference: str) -> str | None:
    known = ProviderPayout.objects.filter(provider=provider, reference=reference)
    return known.values_list("trace_id", flat=True).first()


def _of_transfer(reference: str) -> str | None:
    try:
        key: UUID = parse_typeid("trf", reference)
    except ValueError:
        return None
    return Transfer.objects.filter(pk=key).values_list("trace_id", flat=True).first()
