"""Log lines as JSON: when, what, in which trace. No personal data and no bodies."""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Final

from audit.circumstances import current
from audit.errors import Fault

# What a line may carry beside its message; anything else somebody adds stays out.
EXTRAS: Final = ("method", "route", "status", "duration_ms", "command", "code", "provider", "task")
LINE: Final = json.JSONEncoder(default=str)
PERSONAL: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # e-mail addresses
    r"|\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b"  # IBANs
    r"|\b\d(?:[ -]?\d){12,18}\b"  # card numbers
    r"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]+"  # credentials
)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an exception only its type and where it was, never what it held."""
        here = current()
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_personal_data(record.getMessage()),
            "trace_id": here.trace_id,
            "request_id": here.request_id,
        }
        line |= {name: getattr(record, name) for name in EXTRAS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _said(record.exc_info[1])
            line["at_lines"] = _frames(record.exc_info[1])
        return LINE.encode(line)


def without_personal_data(text: str) -> str:
    """Return `text` without what looks like an address, an IBAN, a card or a credential."""
    return PERSONAL.sub("[removed]", text)


def _said(error: BaseException) -> str:
    """Return an error's type; its words only where they are ours: a database quotes whole rows."""
    name = type(error).__name__
    return f"{name}: {without_personal_data(str(error))}" if isinstance(error, Fault) else name


def _frames(error: BaseException) -> list[str]:
    """Return the last places the error went through, innermost last, without any values."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
