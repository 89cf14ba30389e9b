"""How a peer in a process of its own is told to race: a line in, a line out, both JSON."""

import json
import sys
from collections.abc import Callable

from django.db import connections

from benchmarks._race import Act, race


def perform(make: Callable[[int], Act], *, wrong: Callable[[int], list[str]]) -> None:
    """Race whenever told to; when told nothing more, say what is wrong after all of it."""
    done = 0
    _say({"ready": True})
    for line in sys.stdin:
        wish = json.loads(line)
        if "seconds" not in wish:
            _say({"wrong": wrong(done)})
            continue
        connections.close_all()
        lap = race(make, processes=wish["processes"], seconds=wish["seconds"])
        done += lap.done
        _say({"rate": lap.rate})


def _say(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
