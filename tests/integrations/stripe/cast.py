"""The Stripe that these tests ask: a dictionary of objects, and shorthands for reading events."""

import copy
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from integrations.providers.base import JsonObject, NotYet
from integrations.providers.stripe import mapping
from transactions.meanings import Meaning

SAMPLES = Path(mapping.__file__).parent / "samples"
Json = dict[str, Any]


class Shelf:
    """A Lookup over objects at hand; what is not there cannot be had yet."""

    def __init__(self, objects: Iterable[Json]) -> None:
        """Put `objects` on the shelf, later ones over earlier."""
        self.objects = {each["id"]: copy.deepcopy(each) for each in objects}
        self.asked: list[str] = []

    def fetch(self, *, kind: str, ref: str) -> JsonObject:
        """Return the object, noting that it was asked for."""
        self.asked.append(ref)
        found = self.objects.get(ref)
        if found is None or found["object"] != kind:
            raise NotYet(f"no {kind} {ref}")
        return dict(found)


def sample_shelf() -> Shelf:
    """Return a shelf of our own sample objects."""
    paths = sorted((SAMPLES / "objects").glob("*.json"))
    return Shelf(json.loads(path.read_text()) for path in paths)


def sample(event_type: str) -> Json:
    """Return our own sample of `event_type`."""
    body: Json = json.loads((SAMPLES / "events" / f"{event_type}.json").read_text())
    return body


def read(event: Json | bytes, shelf: Shelf | None = None) -> list[Meaning]:
    """Return what an event means, asking `shelf` or the sample one."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return mapping.read_event(body, lookup=shelf or sample_shelf())


def recorded() -> Path:
    """Return the folder of recorded samples, or skip the test with the reason."""
    named = os.environ.get("SAMPLES_DIR")
    if not named or not (Path(named) / "01_stripe").is_dir():
        pytest.skip("SAMPLES_DIR names no folder with 01_stripe in it")
    return Path(named)
