"""The only ZIP reader and writer of the jail. APPNOTE.TXT 6.3.10.

The reader takes a file only if every honest reader would see the same members in it: exactly one end record, central and local
records that agree, data that fills the file from its first byte to the central directory without overlap or gap, no name twice in
any spelling (ZipDiff, USENIX Security '25: A1-A5, B1-B4, C1-C5). The writer makes the same bytes of the same members, always.

Tolerated because all readers agree: other extra fields, time stamps and compression hints in the two records; zero or absent sizes
in a local record whose data descriptor follows; data descriptors with or without signature; padding inside extra fields (zipalign).
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from isal import isal_zlib

from sanitizers import names, zip_crypto
from sanitizers.budget import Budget
from sanitizers.inflating import Inflating
from sanitizers.model import LimitExceeded, Limits, Malformed, Unsupported
from sanitizers.source import BLOCK, FOLDED_FROM, Folded, Folding, Source
from sanitizers.zip_records import (
    CENTRAL,
    CENTRAL_RECORD,
    DESCRIPTOR,
    END,
    END_RECORD,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_MASKED,
    FLAG_PATCHED,
    FLAG_STRONG,
    FLAG_UTF8,
    LOCAL,
    LOCAL_RECORD,
    MAX16,
    MAX32,
    STORED,
    Aes,
    Central,
    Header,
    centrals,
    descriptors,
    find_end,
    local,
)

DEFLATED: Final = 8
AES_ENCRYPTED: Final = 99

_LONGEST_NAME: Final = 4096        # bytes: PATH_MAX; also bounds the walk over folders
_AGREED_FLAGS: Final = FLAG_ENCRYPTED | FLAG_DESCRIPTOR | FLAG_PATCHED | FLAG_STRONG | FLAG_UTF8 | FLAG_MASKED
_DOS_DIRECTORY: Final = 0x10
# Extra fields of ordinary writers, empty of content: ZIP64, NTFS and Unix times, owners, Unicode name and comment, AES, alignment,
# padding, Java's marker, OPC growth hint. What another one holds is worth a finding when it is dropped.
_ORDINARY_FIELDS: Final = frozenset(
    (0x0000, 0x0001, 0x000A, 0x000D, 0x5455, 0x5855, 0x6375, 0x7075, 0x7855, 0x7875, 0x756E, 0x9901, 0xA220, 0xCAFE, 0xD935)
)
_SMALL: Final = 32 << 10           # bytes of a part that zlib compresses, see `deflate`


class Member(NamedTuple):
    """One entry. `name` is decoded, with "/" between folders, and not yet harmless: see `names.safe_path`. Sizes in bytes."""

    name: str
    size: int
    method: int           # of compression, below any encryption
    encrypted: bool
    directory: bool
    symlink: bool         # or any other Unix file type than a plain file or folder
    guessed: bool         # nothing tells the name's encoding
    backslash: bool       # had "\\" where `name` has "/"
    commented: bool
    extra: bool           # has extra fields that ordinary writers do not write
    packed: int
    crc: int
    time: int             # of change, in DOS form; also a check of ZipCrypto passwords
    flags: int
    aes: Aes | None
    start: int            # of its data in the file


class Archive:
    """An opened ZIP file. `members` in the order of the central directory; `comment` is the length of the archive's comment."""

    def __init__(self, data: memoryview, members: tuple[Member, ...], comment: int) -> None:
        self._data = data
        self.members = members
        self.comment = comment

    def read(self, member: Member, budget: Budget, passwords: tuple[str, ...] = ()) -> bytes:
        """The member's content in one piece, see `open`."""
        return self.open(member, budget, passwords).bytes()

    def open(self, member: Member, budget: Budget, passwords: tuple[str, ...] = ()) -> Source:
        """The member's content: inflated under the budget's cap, size and CRC checked; a large one comes folded.

        Raises Malformed, Unsupported (method), Encrypted (no password fits) and LimitExceeded.
        """
        if member.size > min(budget.expanded_left, budget.limits.memory_bytes // 4):
            raise LimitExceeded(f"member of {member.size} bytes", where=member.name)
        packed = self._data[member.start : member.start + member.packed]
        if member.encrypted:
            locked = zip_crypto.Locked(member.flags, member.time, member.crc, member.size, member.method, member.aes, packed)
            content = zip_crypto.unlock(locked, passwords, _content, member.name)
        else:
            content = _content(packed, member.method, member.size, member.crc, member.name)
        budget.spend_bytes(len(content))
        return content


def open_archive(source: Source, *, most: int = Limits().parts) -> Archive:
    """Walk all records of a ZIP file; nothing is decompressed. `most`: LimitExceeded if there are more members.

    Raises Malformed with a `zip.*` code on any ambiguity, Unsupported for multi-volume sets.
    """
    data = source.view
    end = find_end(data)
    if end.members > most:
        raise LimitExceeded(f"{end.members} members, at most {most}")
    found = list(centrals(data, end))
    local_parts = _layout(data, found, end.offset)
    members = tuple(_member(central, *local_part) for central, local_part in zip(found, local_parts, strict=True))
    _refuse_twins(members)
    return Archive(data, members, end.comment)


def _layout(data: memoryview, found: list[Central], directory: int) -> list[tuple[Header, int]]:
    """Each member's local record and where its data begins. They follow one another from byte 0 to the central directory."""
    parts: list[tuple[Header, int]] = [(central.header, 0) for central in found]
    order = sorted(range(len(found)), key=lambda index: found[index].offset)
    if (found[order[0]].offset if order else directory) != 0:
        raise Malformed("data before the first member", code="zip.leading_data")
    for position, index in enumerate(order):
        central = found[index]
        following = found[order[position + 1]].offset if position + 1 < len(order) else directory
        header, start = local(data, central.offset)
        _agree(central.header, header)
        _refuse_gap(data, header, central.header, start + central.header.packed, following)
        parts[index] = header, start
    return parts


def _agree(central: Header, header: Header) -> None:
    where = names.decode_unmarked(central.name)[0]
    if header.name != central.name or header.unicode_path not in (None, central.unicode_path):
        raise Malformed("local and central name differ", where=where, code="zip.header_mismatch")
    if (header.flags ^ central.flags) & _AGREED_FLAGS:
        raise Malformed("local and central flags differ", where=where, code="zip.header_mismatch")
    if header.method != central.method or header.aes != central.aes:
        raise Malformed("local and central method differ", where=where, code="zip.header_mismatch")
    pairs = ((header.crc, central.crc), (header.packed, central.packed), (header.size, central.size))
    blank = (0, MAX32) if header.flags & FLAG_DESCRIPTOR else ()
    if any(here != there and here not in blank for here, there in pairs):
        raise Malformed("local and central size or CRC differ", where=where, code="zip.header_mismatch")


def _refuse_gap(data: memoryview, header: Header, central: Header, end: int, following: int) -> None:
    """Between a member's data and the next record lies its data descriptor, or nothing."""
    where = names.decode_unmarked(central.name)[0]
    if end > following:
        raise Malformed("members overlap or run into the directory", where=where, code="zip.overlap")
    if end == following:
        if header.flags & FLAG_DESCRIPTOR and (header.packed, header.size) != (central.packed, central.size):
            raise Malformed("data descriptor is missing", where=where, code="zip.gap")
        return
    between = bytes(data[end : min(following, end + 25)])
    if header.flags & FLAG_DESCRIPTOR and following - end <= 24 and between in descriptors(central):
        if central.method == STORED and DESCRIPTOR in bytes(data[end - central.packed : end]):
            raise Malformed("stored data holds what looks like its own end", where=where, code="zip.gap")
        return
    if LOCAL in bytes(data[end:following]):
        raise Malformed("a local record that the directory does not list", where=where, code="zip.orphan_entry")
    raise Malformed(f"{following - end} bytes that belong to no member", where=where, code="zip.gap")


def _member(central: Central, beside: Header, start: int) -> Member:
    header = central.header
    if len(header.name) > _LONGEST_NAME:
        raise LimitExceeded(f"member name of {len(header.name)} bytes")
    if not header.name:
        raise Malformed("member without a name", code="zip.name")
    utf8 = bool(header.flags & FLAG_UTF8)
    name = names.decode_zip(header.name, utf8, header.unicode_path)
    directory = _directory(central, name.replace("\\", "/"))
    kind = stat.S_IFMT(central.attributes >> 16)
    method = header.method
    if (method == AES_ENCRYPTED) != (header.aes is not None) or (header.aes and not header.flags & FLAG_ENCRYPTED):
        raise Malformed("AES method without its field", where=name, code="zip.extra_field")
    return Member(
        name=name.replace("\\", "/"),
        size=header.size,
        method=header.aes.method if header.aes else method,
        encrypted=bool(header.flags & FLAG_ENCRYPTED),
        directory=directory,
        symlink=kind not in (0, stat.S_IFREG, stat.S_IFDIR),
        guessed=not utf8 and header.unicode_path is None and names.decode_unmarked(header.name)[1],
        backslash="\\" in name,
        commented=bool(central.comment),
        extra=not (header.fields | beside.fields) <= _ORDINARY_FIELDS,
        packed=header.packed,
        crc=header.crc,
        time=beside.time,
        flags=header.flags,
        aes=header.aes,
        start=start,
    )


def _directory(central: Central, name: str) -> bool:
    """A folder's name ends with a slash and it has no content; a record that says it both ways is ambiguous (ZipDiff A4)."""
    marked = bool(central.attributes & _DOS_DIRECTORY) or stat.S_ISDIR(central.attributes >> 16)
    if name.endswith("/"):
        if central.header.size:
            raise Malformed("a folder with content", where=name, code="zip.directory_flag")
        return True
    if marked:
        raise Malformed("marked as a folder, named as a file", where=name, code="zip.directory_flag")
    return False


def _refuse_twins(members: tuple[Member, ...]) -> None:
    """No two members may fall on one path in any reader, nor may a file be a folder too (ZipDiff B1, B3, B4)."""
    seen: dict[str, bool] = {}
    folders: set[str] = set()
    for member in members:
        spelled = names.key(member.name)
        if spelled in seen:
            raise Malformed("the same name twice", where=member.name, code="zip.duplicate_name")
        seen[spelled] = member.directory
        parent = spelled.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    for folder in folders:
        if seen.get(folder) is False:
            raise Malformed("a file and a folder of one name", where=folder, code="zip.duplicate_name")


def _content(packed: bytes | memoryview, method: int, size: int, crc: int | None, where: str) -> Source:
    """Decompressed and checked. `crc` None: something stronger has vouched for the bytes (AE-2)."""
    if method == STORED:
        blocks: Iterator[bytes | memoryview] = (packed[at : at + BLOCK] for at in range(0, len(packed), BLOCK))
    elif method == DEFLATED:
        blocks = _inflated(packed, where)
    else:
        raise Unsupported(f"compression method {method}", where=where, code="zip.method")
    whole = _Whole() if size <= FOLDED_FROM else Folding()
    for block in blocks:
        whole.add(block)
        if whole.size > size:
            break
    if whole.size != size:
        raise Malformed(f"does not give the declared {size} bytes", where=where, code="zip.size")
    if crc is not None and whole.crc != crc:
        raise Malformed("CRC does not match", where=where, code="zip.crc")
    return whole.source()


class _Whole:
    """Takes the blocks of a member that is not large enough to be folded; nothing is copied twice, no digest is made."""

    def __init__(self) -> None:
        self.size = 0
        self.crc = 0
        self._blocks: list[bytes | memoryview] = []

    def add(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        self.crc = isal_zlib.crc32(data, self.crc)
        self._blocks.append(data)

    def source(self) -> Source:
        return Source(b"".join(self._blocks))


def _inflated(packed: bytes | memoryview, where: str) -> Iterator[bytes]:
    """Raw deflate, block by block, that must end with `packed`."""
    stream = Inflating(packed)
    yield from stream.blocks(where, "zip.deflate", "zip.size")
    if stream.at != len(packed):
        raise Malformed("bytes after the end of the deflate stream", where=where, code="zip.gap")


def inflate(packed: bytes | memoryview, size: int, where: str = "") -> bytes:
    """Raw deflate that must give exactly `size` bytes and use up all of `packed`."""
    return _content(packed, DEFLATED, size, None, where).bytes()


def deflate(data: bytes) -> bytes:
    """Raw deflate. Up to 32 KiB zlib's level 6 is worth its time (5 % smaller than ISA-L); above, ISA-L is ten times as fast."""
    small = len(data) <= _SMALL
    coder: Any = zlib.compressobj(6, zlib.DEFLATED, -15) if small else isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)
    return b"".join((coder.compress(data), coder.flush()))


class Writer:
    """A new ZIP file, the same for the same members: no extra fields, no comments, no time, UTF-8 flag only where needed."""

    _TIME: Final = 0
    _DATE: Final = (1 << 5) | 1      # 1980-01-01
    _MADE_BY: Final = 11 << 8 | 20   # NTFS: Info-ZIP takes names "made by" MS-DOS for the code page of one, whatever their UTF-8 flag says

    def __init__(self) -> None:
        self._file = bytearray()
        self._directory: list[bytes] = []

    def add(self, name: str, data: bytes | Source, *, store: bool = False) -> None:
        """Add a member; `store` forbids compression, which is also left out where it does not help. A folder ends with "/".

        Raises LimitExceeded.
        """
        pieces, method, crc = _packed(data, store)
        size = sum(map(len, pieces))
        raw = name.encode()
        offset = len(self._file)
        if len(self._directory) >= MAX16 - 1 or offset + size + len(raw) + LOCAL_RECORD.size >= MAX32 - MAX16:
            raise LimitExceeded("result too large for a plain ZIP file")
        flags = 0 if name.isascii() else FLAG_UTF8
        version = 20 if method == DEFLATED or name.endswith("/") else 10
        shared = (version, flags, method, self._TIME, self._DATE, crc, size, len(data), len(raw), 0)
        attributes = _DOS_DIRECTORY if name.endswith("/") else 0
        self._directory.append(CENTRAL_RECORD.pack(CENTRAL, self._MADE_BY, *shared, 0, 0, 0, attributes, offset) + raw)
        self._file += LOCAL_RECORD.pack(LOCAL, *shared) + raw
        for piece in pieces:
            self._file += piece

    def finish(self) -> bytes:
        """The whole file."""
        return self.source().bytes()

    def source(self) -> Source:
        """The whole file, not copied. Nothing can be added any more."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        end = END_RECORD.pack(END, 0, 0, count, count, len(directory), len(self._file), 0)
        self._file += directory + end
        return Source(self._file)


def _packed(data: bytes | Source, store: bool) -> tuple[list[bytes], int, int]:
    """What is written of a member, in pieces: the data itself or deflate; the method, and the data's CRC."""
    source = data if isinstance(data, Source) else Source(data)
    if isinstance(source, Folded) and not store:
        return deflated(source)[0], DEFLATED, source.crc
    whole = source.bytes()
    crc = isal_zlib.crc32(whole)
    if whole and not store and len(shrunk := deflate(whole)) < len(whole):
        return [shrunk], DEFLATED, crc
    return [whole], STORED, crc


def deflated(source: Source) -> tuple[list[bytes], int]:
    """Raw deflate in pieces, and the CRC of what is in it. A folded source is deflate already."""
    if isinstance(source, Folded):
        return [*source.pieces, Folded.CLOSING], source.crc
    whole = source.bytes()
    return [deflate(whole)], isal_zlib.crc32(whole)
