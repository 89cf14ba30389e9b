"""What waits for a person at the edge of the house, for the home page."""

from django.db.models import QuerySet

from integrations.models import Callback
from integrations.states import CallbackState
from transactions.models import Transfer
from transactions.states import TransferState


def quarantined(*, limit: int) -> QuerySet[Callback]:
    """Return the callbacks nobody could understand, oldest first."""
    found = Callback.objects.filter(state=CallbackState.QUARANTINED)
    return found.defer("body").order_by("id")[:limit]


def unknown_outcomes(*, limit: int) -> QuerySet[Transfer]:
    """Return the transfers that were sent and have no outcome yet, oldest first."""
    return Transfer.objects.filter(state=TransferState.UNKNOWN).order_by("id")[:limit]
