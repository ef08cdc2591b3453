"""Where mail programs could disagree about what the parts are.

Two programs that read one message as two trees are the classic way past a gateway, so such a message is held for a person.
Sloppiness that all programs read alike (no last boundary, no MIME-Version, encoded words in quoted names, folded fields) is no
reason to hold.
Sources: noxxi mime-is-broken; draft-chen-email-mime-ambiguity-defense; CVE-2003-0121, CVE-2006-6405.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.message.header import Header, Value
from sanitizers.model import Malformed

_ENCODED_WORD: Final = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")
_STRUCTURE: Final = ("content-type", "content-transfer-encoding", "content-disposition")
_FIELD_AFTER_CR: Final = re.compile(rb"\r[!-9;-~]{1,80}[ \t]*:")


def ambiguous(detail: str, where: str) -> Malformed:
    return Malformed(detail, where=where, code="mail.ambiguous")


def check_header(header: Header, where: str) -> None:
    """Fields that say what a part is must say it once. Raises Malformed."""
    for name in _STRUCTURE:
        values = {_normal(value) for value in header.every(name)}
        if len(values) > 1:
            raise ambiguous(f"{len(values)} different {name} fields", where)
    for entry in header.fields:
        if entry.name in _STRUCTURE and (entry.spaced or b"\0" in entry.value):
            raise ambiguous(f"{entry.name} with a space before its colon or a NUL", where)
        if b"\r" in entry.value and _FIELD_AFTER_CR.search(entry.value):
            raise ambiguous(f"another field after a bare CR in {entry.name}", where)


def _normal(value: bytes) -> bytes:
    return b" ".join(value.lower().split())


def check_type(value: Value, where: str) -> None:
    """Content-Type of a multipart: one boundary, written so that all programs read the same one. Raises Malformed."""
    readings = value.parameters.get("boundary", [])
    if len(set(readings)) > 1:
        raise ambiguous("two boundary parameters", where)
    if any(odd.startswith("boundary") for odd in value.odd):
        raise ambiguous("boundary in a form that programs read differently", where)
    boundary = value.parameter("boundary")
    if boundary != boundary.strip() or _ENCODED_WORD.search(boundary) or any(ord(char) < 32 for char in boundary):
        raise ambiguous("boundary with spaces at its ends, control characters or encoded words", where)


def check_raw_boundary(raw: bytes, where: str) -> None:
    """The raw field: an encoded word in a boundary is decoded by some programs and taken literally by others. Raises Malformed."""
    if b"=?" in raw and _ENCODED_WORD.search(raw[raw.lower().find(b"boundary") :].decode("ascii", "replace")):
        raise ambiguous("encoded word in a boundary", where)


def check_names(disposition: Value, kind: Value, where: str) -> None:
    """All names given for one attachment must agree in what kind of file they promise. Raises Malformed."""
    names = [*disposition.parameters.get("filename", []), *kind.parameters.get("name", [])]
    endings = {name.strip().rstrip(".").rpartition(".")[2].lower() for name in names if "." in name}
    if len(endings) > 1:
        raise ambiguous("names with different extensions: " + ", ".join(sorted(endings))[:200], where)


def check_boundary_tricks(data: bytes, start: int, end: int, boundary: bytes, where: str) -> None:
    """A boundary after a bare CR is a boundary for some programs only. Raises Malformed."""
    if data.find(b"\r--" + boundary, start, end) >= 0:
        raise ambiguous("boundary after a bare CR", where)


def check_unsplit(body: bytes, where: str) -> None:
    """A multipart whose boundary never comes: harmless text, unless somebody could still find parts in it. Raises Malformed."""
    lowered = body[: 1 << 20].lower()
    if b"\n--" in lowered or lowered.startswith(b"--") or b"content-type:" in lowered or b"content-transfer-encoding:" in lowered:
        raise ambiguous("multipart without its boundary", where)
