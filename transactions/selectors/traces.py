"""Which trace a bank's word on a payout of ours belongs to: the payout's own."""

from uuid import UUID

from audit.typeids import parse_typeid
from transactions.meanings import TransferNotice
from transactions.models import Transfer


def trace_of(notice: TransferNotice) -> str | None:
    """Return the trace id that this news continues, None where it begins one."""
    try:
        key: UUID = parse_typeid("trf", notice.reference)
    except ValueError:
        return None
    return Transfer.objects.filter(pk=key).values_list("trace_id", flat=True).first()
