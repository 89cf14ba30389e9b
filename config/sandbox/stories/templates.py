"""The shapes that stories fill in: recorded bodies where there are some, our own samples else."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.sandbox.stories.telling import Json

ROOT: Final = Path(__file__).resolve().parents[3]
SAMPLES: Final = ROOT / "integrations" / "providers" / "stripe" / "samples"
RECORDED: Final = Path("01_stripe") / "events_ruby_mock"
BALANCE_TRANSACTION: Final = "txn_3SamplePlain0000000001"


@dataclass(frozen=True, slots=True)
class Templates:
    """Where shapes come from. `recorded` is a folder of recorded samples, or None."""

    recorded: Path | None = None

    def event(self, event_type: str) -> Json:
        """Return the envelope and object recorded for `event_type`, as a fresh copy."""
        body: Json = json.loads(self._path(event_type).read_text())
        return body

    def object_of(self, event_type: str) -> Json:
        """Return the object that events of `event_type` carry."""
        carried: Json = copy.deepcopy(self.event(event_type)["data"]["object"])
        return carried

    def balance_transaction(self) -> Json:
        """Return the shape of a balance transaction."""
        found: Json = json.loads((SAMPLES / "objects" / f"{BALANCE_TRANSACTION}.json").read_text())
        return found

    def _path(self, event_type: str) -> Path:
        if self.recorded is not None:
            path = self.recorded / RECORDED / f"{event_type}.json"
            if path.exists():
                return path
        return SAMPLES / "events" / f"{event_type}.json"
