"""Reading our calls to providers."""

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from integrations.models import Dispatch
from integrations.states import DispatchAct


def last_payment_call(transfer_id: UUID) -> datetime | None:
    """Return when a payment was last asked for, None if no call came back."""
    calls = Dispatch.objects.filter(transfer_id=transfer_id, act=DispatchAct.PAY)
    last: datetime | None = calls.aggregate(last=Max("called_at"))["last"]
    return last
