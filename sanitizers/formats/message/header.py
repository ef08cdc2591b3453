"""The header block of a message or part: fields, their unfolding, and the parameters of structured fields.

Spec: RFC 5322 §2.2 and §4 (obsolete forms), RFC 2045 §5, RFC 2231.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from sanitizers.charset import decode
from sanitizers.formats.message.words import decode_words, raw_text
from sanitizers.model import LimitExceeded, Malformed

BLOCK_LIMIT: Final = 256 << 10  # bytes of one header block
FIELD_LIMIT: Final = 2000  # fields of one header block

_FIELD: Final = re.compile(rb"([!-9;-~]{1,200})([ \t]*):")
_STRUCTURAL: Final = re.compile(rb"(?i)(?:content-|mime-version)")


class Field(NamedTuple):
    """One header field: its name in lower case, its unfolded value, and whether spaces stood before the colon."""

    name: str
    value: bytes
    spaced: bool


class Header(NamedTuple):
    """The fields of one block in order."""

    fields: tuple[Field, ...]

    def every(self, name: str) -> list[bytes]:
        return [entry.value for entry in self.fields if entry.name == name]

    def first(self, name: str) -> bytes:
        return next((entry.value for entry in self.fields if entry.name == name), b"")


def read_header(data: bytes, start: int, end: int) -> tuple[Header, int]:
    """The header block that begins at `start`, and where the body begins.

    Raises Malformed where mail programs would end the block at different lines and so see different structures, LimitExceeded
    past the limits of a header.
    """
    block_end, body = _block(data, start, end)
    lines = data[start:block_end].split(b"\n")
    if len(lines) > FIELD_LIMIT * 4:
        raise LimitExceeded(f"header of {len(lines)} lines")
    fields: list[Field] = []
    pending: list[bytes] = []
    for index, whole in enumerate(lines):
        line = whole.removesuffix(b"\r")
        if line[:1] in (b" ", b"\t"):
            pending.append(line)
            continue
        match = _FIELD.match(line)
        if match is None:
            if index == 0 and line.startswith((b"From ", b">From ")):
                continue
            if _body_starts_here(lines[index:]):
                body = start + sum(len(before) + 1 for before in lines[:index])
                break
            continue
        _close(fields, pending)
        fields.append(Field(match[1].decode("ascii").lower(), line[match.end() :], bool(match[2])))
    _close(fields, pending)
    if len(fields) > FIELD_LIMIT:
        raise LimitExceeded(f"header of {len(fields)} fields")
    return Header(tuple(fields)), min(body, end)


def _block(data: bytes, start: int, end: int) -> tuple[int, int]:
    """(end of the block, start of the body): the block ends at the first empty line, CRLF or LF."""
    if data.startswith((b"\n", b"\r\n"), start):
        return start, start + (1 if data[start] == 10 else 2)
    window = min(end, start + BLOCK_LIMIT)
    crlf = data.find(b"\n\r\n", start, window)
    bare = data.find(b"\n\n", start, window if crlf < 0 else crlf)
    if bare >= 0:
        return bare, bare + 2
    if crlf >= 0:
        return crlf, crlf + 3
    if window < end:
        raise LimitExceeded(f"header block of more than {BLOCK_LIMIT} bytes")
    return end, end


def _close(fields: list[Field], pending: list[bytes]) -> None:
    """Join the folded lines to the field that they continue."""
    if fields:
        last = fields[-1]
        value = b"".join([last.value, *(b" " + line[1:] for line in pending)]) if pending else last.value
        fields[-1] = Field(last.name, value.strip(b" \t"), last.spaced)
    pending.clear()


def _body_starts_here(lines: list[bytes]) -> bool:
    """A line that is no field: the body, if no field follows. Programs that skip such a line go on reading fields after it."""
    rest = [match for line in lines[1:] if (match := _FIELD.match(line))]
    if any(_STRUCTURAL.match(match[1]) for match in rest):
        raise Malformed("header lines after a broken one", code="mail.ambiguous")
    return not rest


@dataclass(slots=True)
class Value:
    """A structured field: the value before the first semicolon in lower case, and its parameters by name.

    One parameter may have several readings (`filename` and `filename*`, or given twice); `odd` names what is out of order.
    """

    main: str = ""
    parameters: dict[str, list[str]] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)

    def parameter(self, name: str) -> str:
        readings = self.parameters.get(name)
        return readings[0] if readings else ""


# A quoted string in which raw Shift_JIS (second byte may be a backslash) and raw ISO-2022-JP (any byte may be a quote) stay whole.
_QUOTED: Final = re.compile(rb'"((?:\x1b\$[@B][^\x1b]*+|[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|\\.|[^"\\])*+)("?)', re.DOTALL)
_NAME: Final = re.compile(rb"[;\s]*([^=;\s\"]+)\s*=\s*")
_COMMENT: Final = re.compile(rb"\([^()]*\)")
_SEGMENT: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")


def parse_value(raw: bytes) -> Value:
    """Content-Type or Content-Disposition, however sloppy: missing quotes, semicolons and values, raw 8-bit text, RFC 2231."""
    head, _, rest = raw.partition(b";")
    value = Value()
    words = _COMMENT.sub(b" ", head).split()
    value.main = words[0].decode("ascii", "replace").lower().strip('"') if words else ""
    if b"=" in head:  # no type at all, or the semicolon was forgotten
        value.odd.add("semicolon")
        value.main = "" if b"=" in words[0] else value.main
        rest = head[len(words[0]) if value.main else 0 :] + b";" + rest
    segments: dict[str, list[tuple[int, bool, bytes]]] = {}
    at = 0
    while at < len(rest):
        match = _NAME.match(rest, at)
        if match is None:  # a word without a value
            at = rest.find(b";", at + 1)
            if at < 0:
                break
            continue
        item, at = _item(rest, match.end(), value, match[1].decode("ascii", "replace").lower())
        spelled = _SEGMENT.fullmatch(match[1].decode("ascii", "replace").lower())
        if spelled is None:
            continue
        name, number, extended = spelled.groups()
        if number is None and extended is None:
            value.parameters.setdefault(name, []).append(_reading(item))
        else:
            segments.setdefault(name, []).append((int(number or 0), extended is not None, item))
    for name, parts in segments.items():
        value.odd.add(f"{name}*")
        if len({number for number, _, _ in parts}) != len(parts):
            value.odd.add(f"{name}* twice")
        value.parameters.setdefault(name, []).insert(0, _extended(parts))
    return value


def _item(rest: bytes, at: int, value: Value, name: str) -> tuple[bytes, int]:
    """The value of one parameter and the place after it."""
    if rest.startswith(b'"', at) and (quoted := _QUOTED.match(rest, at)):
        text = quoted[1]
        stop = rest.find(b";", quoted.end())
        stop = len(rest) if stop < 0 else stop
        after = _COMMENT.sub(b"", rest[quoted.end() : stop]).strip()
        if not quoted[2]:
            value.odd.add(f"{name} quote")
        if after and b"=" in after:  # the semicolon was forgotten
            value.odd.add("semicolon")
            stop = quoted.end()
        elif after:
            value.odd.add(f"{name} junk")
        if b"\\" in text and text.isascii():
            text = re.sub(rb"\\(.)", rb"\1", text) if b'\\"' in text or b"\\\\" in text else text
        return text, stop
    stop = rest.find(b";", at)
    stop = len(rest) if stop < 0 else stop
    item = _COMMENT.sub(b"", rest[at:stop]).strip()
    if name in ("charset", "boundary", "format", "delsp", "type", "protocol") and (words := item.split()):
        if len(words) > 1:
            value.odd.add("semicolon" if b"=" in words[1] else f"{name} junk")
            if b"=" in words[1]:
                stop = at + rest[at:stop].find(words[0]) + len(words[0])
        item = words[0]
    return item, stop


def _reading(item: bytes) -> str:
    return decode_words(raw_text(item))


def _extended(parts: list[tuple[int, bool, bytes]]) -> str:
    """RFC 2231: segments in order, percent signs only in those marked with a star, the charset in front of the first."""
    parts = sorted(parts, key=lambda part: part[0])
    charset, joined = None, []
    for index, (_, extended, item) in enumerate(parts):
        text = item
        if extended and index == 0 and item.count(b"'") >= 2:
            label, _, text = item.split(b"'", 2)
            charset = label.decode("ascii", "replace") or None
        joined.append(unquote_to_bytes(text) if extended else text)
    whole = b"".join(joined)
    return decode_words(decode(whole, charset).text)
