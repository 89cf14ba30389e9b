"""Which providers there are: by slug, how each is read, asked and paid through."""

import atexit
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings

from integrations.http import Outbound
from integrations.providers.base import Inbound, Lookup, Provider
from integrations.providers.stripe.client import StripeLookup
from integrations.providers.stripe.inbound import StripeInbound
from integrations.providers.testbank.client import BankClient
from integrations.providers.testbank.inbound import BankInbound
from integrations.wires import Lines

# Kept from question to question: a connection costs more than what is asked over it.
LINES: Final = Lines()
atexit.register(LINES.hang_up)


def _sender() -> Outbound:
    return Outbound(loopback=tuple(settings.OUTBOUND_LOOPBACK), lines=LINES)


def _stripe_lookup() -> Lookup:
    return StripeLookup(
        sender=_sender(),
        api_url=settings.STRIPE_API_URL,
        api_key=settings.STRIPE_API_KEY,
    )


def _testbank() -> BankClient:
    return BankClient(
        sender=_sender(),
        url=settings.TESTBANK_URL,
        token=settings.TESTBANK_TOKEN,
    )


INBOUND: Final[Mapping[str, Inbound]] = {
    StripeInbound.slug: StripeInbound(),
    BankInbound.slug: BankInbound(),
}
LOOKUPS: Final[Mapping[str, Callable[[], Lookup]]] = {
    StripeInbound.slug: _stripe_lookup,
    BankInbound.slug: _testbank,
}
PROVIDERS: Final[Mapping[str, Callable[[], Provider]]] = {BankInbound.slug: _testbank}


def inbound_of(slug: str) -> Inbound | None:
    """Return how `slug`'s callbacks are read; None for a provider we do not have."""
    return INBOUND.get(slug)


def lookup_of(slug: str) -> Lookup:
    """Return how `slug` is asked, with the keys of this process: the worker's alone."""
    return LOOKUPS[slug]()


def provider_of(slug: str) -> Provider:
    """Return how `slug` pays out for us, with the keys of this process: the worker's alone."""
    return PROVIDERS[slug]()
