"""The service's log: one JSON object per line on standard error. No message content, no password, no key is ever logged."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import Any


class Log:
    """A named logger whose calls take facts as keywords: `log.warning("held", receipt_no=…)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **facts: object) -> None:
        self._logger.debug(event, extra={"facts": facts})

    def info(self, event: str, **facts: object) -> None:
        self._logger.info(event, extra={"facts": facts})

    def warning(self, event: str, **facts: object) -> None:
        self._logger.warning(event, extra={"facts": facts})

    def error(self, event: str, **facts: object) -> None:
        self._logger.error(event, extra={"facts": facts})

    def exception(self, event: str, **facts: object) -> None:
        """Inside an `except`: the traceback goes along."""
        self._logger.exception(event, extra={"facts": facts})


def get(name: str) -> Log:
    return Log(name)


class _Lines(logging.Formatter):
    def __init__(self, always: dict[str, object]) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).astimezone()
        line: dict[str, Any] = {"at": at.isoformat(timespec="milliseconds"), "level": record.levelname.lower(), "in": record.name}
        line |= {"event": record.getMessage()} | self._always | getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def start(level: str = "info", **always: object) -> None:
    """Send everything to standard error. `always` is in every line (a service without a jail says so in each)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(dict(always)))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
