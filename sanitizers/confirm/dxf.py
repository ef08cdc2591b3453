"""ASCII DXF drawings: pairs of lines, a group code and a value of that code's type, in known sections up to EOF and nothing after it.

Refuses: embedded objects and programs (OLE, proxies, VBA, binary chunks outside the preview), references to files elsewhere
Spec: Autodesk DXF Reference (AutoCAD 2018), "Group Codes in Numerical Order", "ASCII DXF Files"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_SECTIONS: Final = frozenset((b"HEADER", b"CLASSES", b"TABLES", b"BLOCKS", b"ENTITIES", b"OBJECTS", b"THUMBNAILIMAGE", b"ACDSDATA"))
_FOREIGN: Final = re.compile(
    rb"OLE2?FRAME|VBA_PROJECT|ACAD_PROXY_\w+|IMAGEDEF|IMAGE|(?:PDF|DWF|DGN)(?:DEFINITION|UNDERLAY)|POINTCLOUD\w*|GEOMAPIMAGE"
    rb"|(?:ACDB)?NAVISWORKS\w*|DATALINK"
)
_CODE: Final = re.compile(rb"[ \t]{0,6}(-?\d{1,4})[ \t]{0,6}")
_INTEGER: Final = re.compile(rb"\s{0,20}[+-]?\d{1,20}\s{0,20}")
_REAL: Final = re.compile(rb"\s{0,20}[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eEdD][+-]?\d{1,4})?\s{0,20}")
_HANDLE: Final = re.compile(rb"\s{0,4}[0-9A-Fa-f]{1,16}\s{0,4}")
_CHUNK: Final = re.compile(rb"\s{0,4}(?:[0-9A-Fa-f]{2}){0,254}\s{0,4}")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_ELSEWHERE: Final = re.compile(rb"\\\\[^\s\\]|://|file:|javascript:", re.IGNORECASE)
_LONGEST_LINE: Final = 1 << 16
_MOST_PAIRS: Final = 40_000_000

_Ranges = tuple[tuple[int, int], ...]
_REALS: Final[_Ranges] = ((10, 59), (110, 149), (210, 239), (460, 469), (1010, 1059))
_INTEGERS: Final[_Ranges] = ((60, 79), (90, 99), (160, 179), (270, 299), (370, 389), (400, 409), (420, 429), (440, 459), (1060, 1071))
_HANDLES: Final[_Ranges] = ((105, 105), (320, 369), (390, 399), (480, 481), (1005, 1005))
_STRINGS: Final[_Ranges] = (
    (0, 9), (100, 102), (300, 309), (410, 419), (430, 439), (470, 479), (999, 1003), (1006, 1009),
)  # fmt: skip
_CHUNKS: Final[_Ranges] = ((310, 319), (1004, 1004))


def _table() -> dict[int, re.Pattern[bytes] | None]:
    table: dict[int, re.Pattern[bytes] | None] = {}
    for ranges, shape in ((_REALS, _REAL), (_INTEGERS, _INTEGER), (_HANDLES, _HANDLE), (_STRINGS, None), (_CHUNKS, _CHUNK)):
        for first, last in ranges:
            table.update(dict.fromkeys(range(first, last + 1), shape))
    return table


_SHAPES: Final = _table()


def check(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`, binary DXF), LimitExceeded."""
    if source.head(18).startswith(b"AutoCAD Binary DXF"):
        raise Unsupported(f"{Kind.DXF}: binary; ask the sender for an ASCII DXF")
    context.budget.spend_bytes(len(source))
    pairs = _pairs(source)
    section, count, entities = b"", 0, 0
    for code, value, line in pairs:
        count += 1
        if count > _MOST_PAIRS:
            raise LimitExceeded(f"more than {_MOST_PAIRS} groups")
        if code == 0:
            word = value.strip()
            if word == b"EOF":
                if section:
                    raise Malformed(f"line {line}: EOF inside a section")
                break
            section = _next_section(word, section, pairs, line)
            entities += section == b"ENTITIES"
            _refuse_foreign(word, section, line)
        elif not section:
            if code != 999:
                raise Malformed(f"line {line}: group outside a section")
        elif code in (310, 1004) and section != b"THUMBNAILIMAGE":
            raise Unsupported(f"line {line}: binary data in a drawing", code="confirm.foreign")
    else:
        raise Malformed("no EOF")
    if next(pairs, None) is not None:
        raise Malformed("groups after EOF")
    return f"{count} groups, {max(0, entities - 1)} entities"


def _next_section(word: bytes, section: bytes, pairs: Iterator[tuple[int, bytes, int]], line: int) -> bytes:
    if word == b"SECTION":
        code, name, _ = next(pairs, (-1, b"", 0))
        if section or code != 2 or name.strip() not in _SECTIONS:
            raise Malformed(f"line {line}: section")
        return name.strip()
    if word == b"ENDSEC":
        if not section:
            raise Malformed(f"line {line}: ENDSEC without a section")
        return b""
    if not section:
        raise Malformed(f"line {line}: {word[:20]!r} outside a section")
    return section


def _refuse_foreign(word: bytes, section: bytes, line: int) -> None:
    if section in (b"ENTITIES", b"BLOCKS", b"OBJECTS") and _FOREIGN.fullmatch(word):
        raise Unsupported(f"line {line}: {word.decode('ascii', 'replace')}", code="confirm.foreign")


def _pairs(source: Source) -> Iterator[tuple[int, bytes, int]]:
    """(group code, value, its line), every one of the type that its code says."""
    lines = _lines(source)
    number = 0
    for text in lines:
        number += 1
        code = _CODE.fullmatch(text)
        if code is None:
            if not text.strip() and not any(rest.strip(b" \t\r\n\x1a") for rest in lines):
                return
            raise Malformed(f"line {number}: not a group code")
        value = next(lines, None)
        number += 1
        group = int(code[1])
        if value is None or group not in _SHAPES:
            raise Malformed(f"line {number}: group {group}")
        _check_value(group, value, number)
        yield group, value, number


def _check_value(group: int, value: bytes, line: int) -> None:
    shape = _SHAPES[group]
    if shape is not None:
        if not shape.fullmatch(value):
            raise Malformed(f"line {line}: value of group {group}")
        return
    if _CONTROL.search(value):
        raise Malformed(f"line {line}: control character")
    if _ELSEWHERE.search(value):
        raise Unsupported(f"line {line}: names something elsewhere", code="confirm.foreign")


def _lines(source: Source) -> Iterator[bytes]:
    for run in source.runs_of_lines():
        if run.count(b"\n") == 0 and len(run) > _LONGEST_LINE:
            raise Malformed(f"line of more than {_LONGEST_LINE} bytes")
        for line in run.split(b"\n")[: None if not run.endswith(b"\n") else -1]:
            if len(line) > _LONGEST_LINE:
                raise Malformed(f"line of more than {_LONGEST_LINE} bytes")
            yield line.removesuffix(b"\r")
