"""The second opinion on what Office packages say: cells and texts of the input are in the output."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.source import Source

_LEAST: Final = 0.4     # of the texts: some stood twice in the input, for readers of two generations
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def compare(parts: dict[str, bytes], original: Source) -> None:
    """Raises VerificationFailed where a part of the same name has lost cells, or the whole most of its texts."""
    if original.head(4) != b"PK\x03\x04":
        return   # it was encrypted or flat
    before = after = 0
    same: list[bytes] = []      # parts that say what they said; counted only if it comes to that
    try:
        with zipfile.ZipFile(original.stream()) as archive:
            for info in archive.infolist():
                name = info.filename.replace("\\", "/")
                if name not in parts or not name.endswith(".xml") or name.startswith(("docProps/", "customXml/", "[")):
                    continue
                given = _plain(archive.read(info))
                if given == parts[name]:
                    same.append(given)
                    continue
                before, after = before + _texts(given), after + _texts(parts[name])
                if name.startswith("xl/worksheets/") and _cells(given) != _cells(parts[name]):
                    raise VerificationFailed(f"cells of {name} are lost")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError):
        return   # zipfile is stricter than we are in details that do not matter here
    if after < before * _LEAST and after + (alike := sum(map(_texts, same))) < (before + alike) * _LEAST:
        raise VerificationFailed(f"text is lost: {before} runs before, {after} after")


def _plain(content: bytes) -> bytes:
    return content.decode("utf-16", "replace").encode() if content.startswith(_UTF16) else content


def _texts(content: bytes) -> int:
    """Elements `t` that end, under any prefix."""
    return content.count(b":t>") + content.count(b"</t>")


def _cells(content: bytes) -> int:
    if b"<sheetData" in content:    # no prefix: three searches are cheaper than one pattern
        return content.count(b"<c ") + content.count(b"<c>") + content.count(b"<c/>")
    return len(_CELL.findall(content))
