"""Connections of several logins side by side: each thread has its own, and uses one at a time."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass
class Lines:
    """The lines to one database, one a login and thread, made when they are first used.

    Of several ports, a line leads to the one that takes writes.
    """

    passwords: Mapping[str, str]
    ports: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Start with none."""
        self._local = threading.local()

    @contextmanager
    def signed_in(self, role: str) -> Iterator[BaseDatabaseWrapper]:
        """Let Django's connection of this thread be that of a login."""
        before = connections["default"]
        connections["default"] = line = self._line(role)
        try:
            yield line
        finally:
            connections["default"] = before

    def leave(self) -> None:
        """Close this thread's lines."""
        for line in vars(self._local).values():
            with suppress(DatabaseError):
                line.close()

    def _line(self, role: str) -> BaseDatabaseWrapper:
        line: BaseDatabaseWrapper | None = getattr(self._local, role, None)
        if line is None:
            line = connections.create_connection("default")
            at, login = line.settings_dict, f"cs_{role}"
            signed = {"USER": login, "PASSWORD": self.passwords[login]}
            line.settings_dict = {**at, **signed, **self._way(at)}
            setattr(self._local, role, line)
        return line

    def _way(self, at: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that lead through our ports, where we have some."""
        if not self.ports:
            return {}
        return {
            "HOST": ",".join([at["HOST"]] * len(self.ports)),
            "PORT": ",".join(map(str, self.ports)),
            "OPTIONS": {**at["OPTIONS"], "target_session_attrs": "read-write"},
        }
