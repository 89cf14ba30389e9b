"""Reading callbacks: what each means, its provider asked where that is the truth. Side by side.

A provider answers in its own time, so many are asked at once and none is waited for too long.
"""

from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Final

from django.conf import settings

from accounts.crypto.boxes import open_box
from integrations.models import Callback
from integrations.providers.base import NotYet
from integrations.providers.registry import inbound_of, lookup_of
from transactions.meanings import Meaning, NotUnderstood

READERS: Final = 8
# All of a batch must be read and worked off within its lease.
READ_SECONDS_MAX: Final = 12.0


def read_all(callbacks: Sequence[Callback]) -> list[list[Meaning] | Exception]:
    """Return what each callback means, or the exception that says why that is not known."""
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    try:
        readings = [readers.submit(read, each) for each in callbacks]
        wait(readings, timeout=READ_SECONDS_MAX)
    finally:
        readers.shutdown(wait=False, cancel_futures=True)
    return [_result(each) for each in readings]


def read(callback: Callback) -> list[Meaning]:
    """Open the box and ask the provider's reader what it says."""
    inbound = inbound_of(callback.provider)
    if inbound is None:
        raise NotUnderstood(f"no provider {callback.provider}")
    body = open_box(bytes(callback.body), private_key=settings.INBOX_PRIVATE_KEY)
    return inbound.meanings(body=body, lookup=lookup_of(callback.provider))


def _result(reading: Future[list[Meaning]]) -> list[Meaning] | Exception:
    try:
        return reading.result(timeout=0)
    except (TimeoutError, CancelledError):
        return NotYet("the provider was not heard in time")
    except Exception as error:  # noqa: BLE001 - told apart by whoever asked
        return error
