"""What this project logs, for machines: as JSON lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

OWN_PACKAGES = ("pipeline", "components", "trainer")
_CARRIED = ("rows", "progress", "held_back")


def is_own(record: logging.LogRecord) -> bool:
    """Whether this project wrote a line, in whose message no value of a subject stands.

    Lines that only carry numbers of a stage's record or its progress are none, nor are those of a
    run whose numbers are held back, where they have such.

    Args:
        record: The line.
    """
    own = record.name.partition(".")[0] in OWN_PACKAGES
    return own and not any(hasattr(record, name) for name in _CARRIED)


class JsonLines(logging.Formatter):
    """A line as one JSON object; of an exception its type alone, since its text may quote data.

    Args:
        fields: What every line has besides, such as the ids of a trace.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._fields = dict(fields)

    def format(self, record: logging.LogRecord) -> str:
        """Makes the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        found = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **exception_type(record),
            **self._fields,
        }
        return json.dumps(found, ensure_ascii=False)


def exception_type(record: logging.LogRecord) -> dict[str, str]:
    """The type of the exception that a line is about, as a field; nothing where there is none."""
    kind = record.exc_info[0] if record.exc_info else None
    return {"exception.type": kind.__name__} if kind else {}
