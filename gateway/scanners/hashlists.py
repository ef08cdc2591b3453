"""Files that are known by their SHA-256: lists of what is denied and of what is allowed, read from text files.

One digest a line in 64 hexadecimal digits, after it a name if there is one; the output of `sha256sum` is such a list. Empty lines and
lines that begin with `#` say nothing. UTF-8. A line that is anything else makes the whole file worthless: half a deny list is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_FILE_BYTES: Final = 256 << 20
_LINE_BYTES: Final = 1024
_LINE: Final = re.compile(r"([0-9A-Fa-f]{64})(?:[ \t]+\*?(\S.*)?)?")


class HashListError(ValueError):
    """A list that cannot be read. The text names file and line and is one line."""


@dataclass(frozen=True, slots=True)
class HashLists:
    """SHA-256 (raw) -> name. What is on both lists is denied."""

    deny: Mapping[bytes, str] = field(default_factory=dict)
    allow: Mapping[bytes, str] = field(default_factory=dict)

    @classmethod
    def load(cls, deny: Iterable[Path] = (), allow: Iterable[Path] = ()) -> HashLists:
        """Raises HashListError."""
        return cls(deny=_merged(deny), allow=_merged(allow))

    def beside(self, deny: Mapping[bytes, str], allow: Mapping[bytes, str]) -> HashLists:
        """With more of both; names that are here already stay."""
        return HashLists(deny={**deny, **self.deny}, allow={**allow, **self.allow})

    def denied(self, sha256: str) -> str | None:
        """The name of what is denied by its hexadecimal digest; a digest on the list without a name is its own. Raises ValueError."""
        return self.deny.get(_raw(sha256))

    def allowed(self, sha256: str) -> str | None:
        """The same for what is allowed, unless it is denied too."""
        digest = _raw(sha256)
        return None if digest in self.deny else self.allow.get(digest)


def read(path: Path) -> dict[bytes, str]:
    """One list. The first name of a digest is kept. Raises HashListError."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise HashListError(f"{path.name}: {error.strerror}") from None
    if len(content) > _FILE_BYTES:
        raise HashListError(f"{path.name}: larger than {_FILE_BYTES >> 20} MiB")
    return parse(content, path.name)


def parse(content: bytes, name: str) -> dict[bytes, str]:
    """The same of a list that is in hand; `name` is for the text of an error. Raises HashListError."""
    digests: dict[bytes, str] = {}
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        entry = _entry(line.removesuffix(b"\r"), f"{name}:{number}")
        if entry is not None:
            digests.setdefault(*entry)
    return digests


def _entry(line: bytes, where: str) -> tuple[bytes, str] | None:
    if len(line) > _LINE_BYTES:
        raise HashListError(f"{where}: longer than {_LINE_BYTES} bytes")
    try:
        text = line.decode("utf-8").strip(" \t")
    except UnicodeDecodeError:
        raise HashListError(f"{where}: not UTF-8") from None
    if not text or text.startswith("#"):
        return None
    entry = _LINE.fullmatch(text)
    # A name goes into logs and onto pages.
    if entry is None or not (entry[2] or "").isprintable():
        raise HashListError(f"{where}: not a SHA-256 with or without a name")
    return bytes.fromhex(entry[1]), entry[2] or entry[1].lower()


def _merged(paths: Iterable[Path]) -> dict[bytes, str]:
    merged: dict[bytes, str] = {}
    for path in paths:
        merged = read(path) | merged
    return merged


def _raw(sha256: str) -> bytes:
    digest = bytes.fromhex(sha256)
    if len(digest) != 32:
        raise ValueError("not a SHA-256")
    return digest
