"""The second opinion on what Office packages say: cells and texts of the input are in the output."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import spelled

_LEAST: Final = 0.4     # of the texts: some stood twice in the input, for readers of two generations
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def compare(parts: dict[str, bytes], original: Source) -> None:
    """Raises VerificationFailed where a part of the same name has lost cells, or the whole most of its texts."""
    if original.head(4) != b"PK\x03\x04":
        return   # it was encrypted or flat
    before = after = 0
    alike: list[tuple[bytes, int]] = []      # what is said as it was; counted only if it comes to that
    try:
        with zipfile.ZipFile(original.stream()) as archive:
            for info in archive.infolist():
                name = info.filename.replace("\\", "/")
                if name not in parts or not name.endswith(".xml") or name.startswith(("docProps/", "customXml/", "[")):
                    continue
                given = _plain(archive.read(info))
                unlike, unlike_made = spelled.unlike(given, parts[name])
                before, after = before + _texts(unlike), after + _texts(unlike_made)
                alike.append((given, len(unlike)))
                if name.startswith("xl/worksheets/") and _cells(unlike) != _cells(unlike_made):
                    raise VerificationFailed(f"cells of {name} are lost")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        return   # zipfile is stricter than we are in details that do not matter here
    if after < before * _LEAST and after + (rest := sum(_texts(part, start) for part, start in alike)) < (before + rest) * _LEAST:
        raise VerificationFailed(f"text is lost: {before} runs before, {after} after")


def _plain(content: bytes) -> bytes:
    return content.decode("utf-16", "replace").encode() if content.startswith(_UTF16) else content


def _texts(content: bytes, start: int = 0) -> int:
    """Elements `t` that end, under any prefix."""
    return content.count(b":t>", start) + content.count(b"</t>", start)


def _cells(content: bytes) -> int:
    if b"<sheetData" in content:    # no prefix: three searches are cheaper than one pattern
        return content.count(b"<c ") + content.count(b"<c>") + content.count(b"<c/>")
    return len(_CELL.findall(content))
