"""tar archives: every header checked, every member rebuilt, written anew as plain files in pax format.

Removes: members that cannot be delivered, links, devices, paths that climb, owners, modes (set-uid), extended attributes
Keeps: folders, order and Japanese names of the members; each member as its own sanitizer makes it
Refuses: bad checksums, sizes said twice and differently (CVE-2025-62518), data after the end, sparse and multi-volume members
Spec: POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format"
"""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from sanitizers import names
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive.pack import Entry, Pack, What
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import BLOCK, Folding, Source

_BLOCK: Final = 512
_EMPTY: Final = bytes(_BLOCK)
_LONGEST_HEADER: Final = 1 << 16    # bytes of one pax or GNU long-name record
_NUMBER: Final = re.compile(rb" *([0-7]+)[ \0]*")


class Member(NamedTuple):
    """One member; `start` and `size` in bytes locate its data."""

    name: str
    what: What
    start: int
    size: int
    guessed: bool


@dataclass(slots=True)
class _Ahead:
    """What extension headers say about the next member."""

    long_name: bytes | None = None
    linked: bool = False
    pax: dict[bytes, bytes] = field(default_factory=dict)


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed (`tar.*`), Unsupported, LimitExceeded, and what `Pack.finish` raises."""
    pack = Pack(context, Writer(), "archive")
    for member in members(source, context.limits.parts):
        pack.take(Entry(member.name, member.what, partial(_read, source, member, context), member.guessed))
    return Rebuilt(pack.finish(), Kind.TAR)


def _read(source: Source, member: Member, context: Context) -> Source:
    context.budget.spend_bytes(member.size)
    return content(source, member)


def content(source: Source, member: Member) -> Source:
    """A file's data, large ones folded."""
    folding = Folding()
    for at in range(member.start, member.start + member.size, BLOCK):
        folding.add(source.part(at, min(BLOCK, member.start + member.size - at)))
    return folding.source()


def members(source: Source, most: int) -> tuple[Member, ...]:
    """All members, from the first header to the end marker, which only zeros may follow. `most`: LimitExceeded beyond it.

    Raises Malformed.
    """
    found: list[Member] = []
    seen: set[str] = set()
    ahead = _Ahead()
    at = headers = 0
    while at < len(source):
        block = source.part(at, _BLOCK)
        if not block.strip(b"\0"):
            break
        headers += 1
        if headers > 4 * most or len(found) > most:
            raise LimitExceeded(f"more than {most} members")
        size = _checked(block)
        start = at + _BLOCK
        if start + size > len(source):
            raise Malformed("member runs over the end", code="tar.size")
        if not _extension(block[156:157], source, start, size, ahead):
            member = _member(block, start, size, ahead)
            _refuse_twin(member, seen)
            found.append(member)
            ahead = _Ahead()
        at = start + -(-size // _BLOCK) * _BLOCK
    _check_end(source, at, ahead)
    return tuple(found)


def _checked(block: bytes) -> int:
    """The size that a header gives, after its checksum is found right (as unsigned or, as some old tars did, signed bytes)."""
    if len(block) < _BLOCK:
        raise Malformed("truncated header", code="tar.header")
    blanked = block[:148] + b" " * 8 + block[156:]
    total = sum(blanked)
    if _number(block[148:156]) not in (total, total - 256 * sum(byte > 127 for byte in blanked)):
        raise Malformed("header checksum", code="tar.header")
    return _number(block[124:136])


def _number(raw: bytes) -> int:
    """Octal digits, or GNU base-256. A negative or absurd one is refused."""
    if raw[0] == 0x80:
        value = int.from_bytes(raw[1:], "big")
        if value >> 60:
            raise Malformed("number too large", code="tar.header")
        return value
    if not raw.strip(b" \0"):
        return 0
    digits = _NUMBER.fullmatch(raw)
    if digits is None:
        raise Malformed("broken number", code="tar.header")
    return int(digits[1], 8)


def _extension(flag: bytes, source: Source, start: int, size: int, ahead: _Ahead) -> bool:
    """Take in a header that only describes the next member: pax (x, g) or GNU (L, K). Says whether it was one."""
    if flag not in (b"x", b"g", b"L", b"K"):
        return False
    if size > _LONGEST_HEADER:
        raise LimitExceeded(f"tar extension header of {size} bytes")
    body = source.part(start, size)
    if flag == b"g":        # for all members: a comment (git) or times are dropped, what changes names or sizes is refused
        if _pax(body).keys() & {b"path", b"size", b"linkpath"}:
            raise Malformed("global header with a path or size", code="tar.header")
    elif flag == b"x":
        if ahead.pax:
            raise Malformed("two pax headers for one member", code="tar.header")
        ahead.pax = _pax(body)
    elif flag == b"L":
        if ahead.long_name is not None:
            raise Malformed("two long names for one member", code="tar.header")
        ahead.long_name = body.rstrip(b"\0")
    else:
        ahead.linked = True
    return True


def _pax(body: bytes) -> dict[bytes, bytes]:
    """Records of "length key=value\\n". A key twice is refused: readers take the first or the last."""
    table: dict[bytes, bytes] = {}
    at = 0
    while at < len(body) and body[at]:
        digits, space, _ = body[at : at + 12].partition(b" ")
        if not space or not digits.isdigit():
            raise Malformed("broken pax record", code="tar.header")
        record = body[at : at + int(digits)]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if len(record) != int(digits) or record[-1:] != b"\n" or not equals or key in table:
            raise Malformed("broken pax record", code="tar.header")
        table[key] = value
        at += len(record)
    return table


def _member(block: bytes, start: int, size: int, ahead: _Ahead) -> Member:
    flag = block[156:157]
    if flag == b"S" or any(key.startswith(b"GNU.sparse") for key in ahead.pax):
        raise Unsupported("sparse file", code="tar.sparse")
    if flag in (b"M", b"V") and (flag == b"M" or size):
        raise Unsupported("multi-volume archive", code="archive.multi_volume")
    if b"size" in ahead.pax and ahead.pax[b"size"] != str(size).encode():
        raise Malformed("pax and plain header give different sizes", code="tar.size")
    name, guessed = _name(block, ahead)
    if flag not in (b"0", b"\0", b"5", b"7") or ahead.linked or b"linkpath" in ahead.pax:
        return Member(name, What.OTHER, start, size, guessed)
    if flag == b"5" or name.endswith("/"):
        if size:
            raise Malformed("a folder with content", where=name, code="tar.size")
        return Member(name, What.FOLDER, start, size, guessed)
    return Member(name, What.FILE, start, size, guessed)


def _name(block: bytes, ahead: _Ahead) -> tuple[str, bool]:
    if b"path" in ahead.pax:
        if ahead.long_name is not None:
            raise Malformed("two kinds of long name", code="tar.header")
        raw = ahead.pax[b"path"]
    elif ahead.long_name is not None:
        raw = ahead.long_name
    else:
        prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
        raw = block[:100].partition(b"\0")[0]
        raw = prefix + b"/" + raw if prefix else raw
    if b"\0" in raw:
        raise Malformed("NUL in a member name", code="tar.header")
    return names.decode_unmarked(raw)


def _refuse_twin(member: Member, seen: set[str]) -> None:
    """A later member of the same name replaces the earlier when unpacked, but not when listed. A folder may well come twice."""
    spelled = names.key(member.name)
    if member.what is not What.FOLDER and spelled:
        if spelled in seen:
            raise Malformed("the same name twice", where=member.name, code="archive.duplicate_name")
        seen.add(spelled)


def _check_end(source: Source, at: int, ahead: _Ahead) -> None:
    if ahead != _Ahead():
        raise Malformed("extension header without a member", code="tar.header")
    for start in range(at, len(source), BLOCK):
        if source.part(start, BLOCK).strip(b"\0"):
            raise Malformed("data after the end marker", code="tar.trailing_data")


class Writer:
    """A new tar of plain files and empty folders: no owner, no time, mode 0644; pax headers only for names that need them."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._tar = tarfile.open(mode="w", fileobj=self._sink, format=tarfile.PAX_FORMAT)  # type: ignore[call-overload]  # noqa: SIM115

    def add(self, name: str, data: bytes | Source) -> None:
        """A name that ends with "/" is an empty folder."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        if name.endswith("/"):
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        self._tar.addfile(info, data.stream() if isinstance(data, Source) else io.BytesIO(data))

    def source(self) -> Source:
        """The whole file, two zero blocks at its end and filled up to 10 KiB as every tar does."""
        self._tar.close()
        return self._sink.folding.source()


class _Sink:
    """As much of a file as tarfile needs."""

    def __init__(self) -> None:
        self.folding = Folding()

    def write(self, data: bytes) -> int:
        self.folding.add(data)
        return len(data)

    def tell(self) -> int:
        return self.folding.size


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.TAR}),
    sanitize=sanitize,
    removes="bad members, links, devices, climbing paths, owners, modes, extended attributes",
    keeps="folders, order, Japanese names, every clean member",
    refuses="contradictory sizes, data after the end, sparse and multi-volume members",
    spec="POSIX.1-2017 pax, GNU tar",
)
