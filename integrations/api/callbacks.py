"""`POST /callbacks/{provider}/{endpoint}`: verify the raw bytes, store, commit, answer."""

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.doorbell import ring
from audit.errors import NotFound
from audit.failpoints import between_failpoints
from integrations.errors import InboxClosed, NotGenuine
from integrations.providers.base import Forged
from integrations.providers.registry import inbound_of
from integrations.services.inbox import GATHER_SECONDS, receive

store = between_failpoints("inbox.store")(receive)


@csrf_exempt
@require_POST
def take_callback(request: HttpRequest, *, provider: str, endpoint: str) -> JsonResponse:
    """Answer 200 once the callback is stored; 401 unless proven genuine, 503 to try again."""
    inbound = inbound_of(provider)
    secrets = settings.CALLBACK_SECRETS.get(f"{provider}/{endpoint}")
    if inbound is None or not secrets:
        raise NotFound(ref="callback endpoint")
    verdict = inbound.verify(
        headers=request.headers, body=request.body, secrets=secrets, now=timezone.now()
    )
    if isinstance(verdict, Forged):
        raise NotGenuine
    try:
        store(provider, endpoint=endpoint, event=verdict, body=request.body)
    except OperationalError as error:
        raise InboxClosed from error
    ring("integrations.drain_inbox", gathers_seconds=GATHER_SECONDS)
    return JsonResponse({"received": True})
