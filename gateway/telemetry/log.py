"""The service's log: one JSON object per line on standard error. No message content, no password, no key is ever logged.

Who sent something to whom, and what its file is called, stand in the journal, which has an owner and rules for who may look; a log goes
many ways. So every line says which transfer it is about (`receipt_no`), and what else a person could be known by is taken out: of a mail
address only the domain stays, of a file name only its extension, of a secret nothing. Whoever may know looks the number up.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

_LONGEST: Final = 2_000
_MOST: Final = 50
# Facts by their names: nothing of it, or only the end of it.
_SECRET: Final = re.compile(r"password|passphrase|secret|token|cookie|authorization|credential", re.IGNORECASE)
_NAMES: Final = frozenset({"name", "names", "file", "subject", "filename"})
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")
_IN_URL: Final = re.compile(r"(?<=://)[^/\s@]{1,200}@")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,8}$")

_about: ContextVar[str] = ContextVar("receipt_no", default="")


class Log:
    """A named logger whose calls take facts as keywords: `log.warning("held", receipt_no=…)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

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


@contextmanager
def about(receipt_no: str) -> Iterator[None]:
    """Every line of this task, and of those that it begins, is about this transfer."""
    token = _about.set(receipt_no)
    try:
        yield
    finally:
        _about.reset(token)


def subject() -> str:
    """The receipt number of the transfer that this task is about; empty for none."""
    return _about.get()


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says besides its event, with nothing in it by which a person is known."""
    given: dict[str, Any] = dict(getattr(record, "facts", {}))
    if receipt_no := _about.get():
        given.setdefault("receipt_no", receipt_no)
    return {key: clean(key, value) for key, value in given.items()}


def clean(key: str, value: object) -> object:
    """A fact as it may be told."""
    if _SECRET.search(key):
        return "[redacted]"
    if isinstance(value, str):
        return _shortened(value) if key in _NAMES else plain(value)
    if isinstance(value, Mapping):
        return {str(name): clean(str(name), one) for name, one in list(value.items())[:_MOST]}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(key, one) for one in list(value)[:_MOST]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain(str(value))


def plain(text: str) -> str:
    """Any text without mail addresses, log-ins in addresses, and tokens."""
    text = _IN_URL.sub("[redacted]@", text)
    text = _BEARER.sub(r"\1 [redacted]", text)
    text = _ADDRESS.sub("[redacted]@", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _shortened(name: str) -> str:
    """`見積書.docx` is told as `….docx`."""
    extension = _EXTENSION.search(name)
    return f"…{extension[0].lower()}" if extension is not None else "…"


class _Lines(logging.Formatter):
    def __init__(self, always: dict[str, object]) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).astimezone()
        line: dict[str, Any] = {"at": at.isoformat(timespec="milliseconds"), "level": record.levelname.lower(), "in": record.name}
        line |= {"event": plain(record.getMessage())} | self._always | facts_of(record)
        if record.exc_info:
            line["traceback"] = plain(self.formatException(record.exc_info)[-_LONGEST:])
        return json.dumps(line, ensure_ascii=False, default=str)


def start(level: str = "info", **always: object) -> None:
    """Send everything to standard error. `always` is in every line (a service without a jail says so in each)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(dict(always)))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


@contextmanager
def also(handler: logging.Handler) -> Iterator[None]:
    """To this handler besides, as long as it lasts; its owner closes it."""
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
