"""What the Test Bank remembers: a file of JSON lines that is only ever added to.

The file is the truth. A line is written before anything is answered, so a bank that is killed
and started again knows every payment it made, and still owes every callback it had not sent.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

Fact = Mapping[str, object]


class MemoryHeldElsewhere(SystemExit):
    """Another Test Bank is writing to the same file."""


class Memory:
    """An append-only file of facts, one JSON object a line, owned by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create `path` (0600); raises MemoryHeldElsewhere."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MemoryHeldElsewhere(f"testbank: {path} is in use by another bank") from None
        self._drop_torn_line()

    def __iter__(self) -> Iterator[Fact]:
        """Read every fact again, in the order written."""
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def keep(self, fact: Fact) -> None:
        """Write one fact down; once this returns, being killed does not undo it."""
        line = json.dumps(fact, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        with self._lock:
            view = memoryview(line)
            while view:
                view = view[os.write(self._file, view) :]

    def _drop_torn_line(self) -> None:
        """Forget a last line that was cut off by a kill: nothing was answered for it."""
        written = self._path.read_bytes()
        whole = written.rfind(b"\n") + 1
        if whole != len(written):
            os.ftruncate(self._file, whole)
