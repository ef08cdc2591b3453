"""The second opinion on rebuilt archives: zipfile and a forward walk for zip, tarfile and libarchive for tar, zlib for gz."""

from __future__ import annotations

import hashlib
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import libarchive
from libarchive.exception import ArchiveError

from sanitizers.context import Context
from sanitizers.model import Kind, PartInfo, Report, VerificationFailed
from sanitizers.source import Source

_NOTICES: Final = ("無害化通知.txt", "sanitisation-notice.txt")
_NOTICE_TITLES: Final = ("【無害化通知】\r\n", "[Sanitisation notice]\r\n")
_LONGEST_NOTICE: Final = 4096
_STEP: Final = 1 << 20             # bytes looked at at a time
_FOLDER: Final = 0x10             # DOS attribute
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_COMPRESSED: Final = frozenset({Kind.BZ2, Kind.XZ, Kind.ZST, Kind.LZ4, Kind.COMPRESS})


class _Content(NamedTuple):
    """What must be known of a member, without keeping it: its size, SHA-256, and the first bytes."""

    size: int
    sha256: str
    head: bytes


def _content(blocks: Iterable[bytes]) -> _Content:
    digest, size, head = hashlib.sha256(), 0, b""
    for block in blocks:
        digest.update(block)
        size += len(block)
        head += block[: _LONGEST_NOTICE + 1 - len(head)]
    return _Content(size, digest.hexdigest(), head)


def verify_zip(output: Source, _original: Source, context: Context) -> None:
    """Both readers see the same plain members, and each is a part that the engine delivered, or a notice. Raises VerificationFailed."""
    try:
        with zipfile.ZipFile(output.stream()) as archive:
            listed = archive.infolist()
            if [info.filename for info in listed] != _forward_walk(output, len(listed)):
                raise VerificationFailed("members that two readers see differently")
            for info in listed:
                _check_zip_member(info)
            _check_parts(((info.filename, _member(archive, info)) for info in listed if not info.is_dir()), context)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError) as error:
        raise VerificationFailed(f"zipfile: {error}") from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Content:
    with archive.open(info) as stream:
        return _content(iter(lambda: stream.read(_STEP), b""))


def _forward_walk(output: Source, count: int) -> list[str]:
    """The names in the local records, reading forward from byte 0 as streaming readers do, up to the directory."""
    found, at = [], 0
    while (record := output.part(at, 30))[:4] == b"PK\x03\x04":
        flags, method = struct.unpack_from("<2H", record, 6)
        packed, _, named, extras = struct.unpack_from("<2I2H", record, 18)
        if flags & ~0x0800 or method not in (0, 8) or extras:
            raise VerificationFailed("flag, method or extra field in a local record")
        found.append(output.part(at + 30, named).decode("utf-8"))
        at += 30 + named + packed
    if output.tail(22) != struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(output) - 22 - at, at, 0):
        raise VerificationFailed("the directory does not follow the members, or is not the end")
    return found


def _check_zip_member(info: zipfile.ZipInfo) -> None:
    attributes = _FOLDER if info.is_dir() else 0
    if info.extra or info.comment or info.flag_bits & ~0x0800 or info.external_attr != attributes or info.date_time != _FIRST_DAY:
        raise VerificationFailed(f"more than a plain member: {info.filename!r}")
    if info.is_dir() and info.file_size:
        raise VerificationFailed(f"folder with content: {info.filename!r}")
    _check_path(info.filename)


def _check_path(path: str) -> None:
    """Relative, forward, visible: nothing that Windows, a Mac or Unix could take for another place."""
    parts = path.removesuffix("/").split("/")
    if any(part.strip(". ") == "" or part != part.rstrip(". ") for part in parts):
        raise VerificationFailed(f"unsafe path: {path!r}")
    if any(char in '\\:*?"<>|' or unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in path):
        raise VerificationFailed(f"unsafe character in {path!r}")


def verify_tar(output: Source, _original: Source, context: Context) -> None:
    """tarfile and libarchive see the same plain files and folders, each one delivered by the engine, or a notice.

    Raises VerificationFailed.
    """
    plain: list[tuple[str, int]] = []
    try:
        with tarfile.open(fileobj=output.stream(), mode="r:") as archive:
            for info in archive:
                _check_tar_member(info)
                plain.append((info.name, info.size))
        seen = _through_libarchive(output)
    except (tarfile.TarError, ArchiveError, ValueError) as error:
        raise VerificationFailed(f"tar: {error}") from None
    if [(name.rstrip("/"), content.size if content else 0) for name, content in seen] != plain:
        raise VerificationFailed("tarfile and libarchive see different members")
    _check_parts(((name, content) for name, content in seen if content is not None), context)


def _check_tar_member(info: tarfile.TarInfo) -> None:
    _check_path(info.name)
    owner = (info.uid, info.gid, info.uname, info.gname, info.mtime)
    if not (info.isreg() or info.isdir()) or owner != (0, 0, "", "", 0) or info.linkname or set(info.pax_headers) - {"path"}:
        raise VerificationFailed(f"more than a plain file: {info.name!r}")
    if info.mode != (0o755 if info.isdir() else 0o644):
        raise VerificationFailed(f"mode of {info.name!r}")


def _through_libarchive(output: Source) -> list[tuple[str, _Content | None]]:
    """Names and contents (None for folders)."""
    found: list[tuple[str, _Content | None]] = []
    with libarchive.stream_reader(output.stream(), format_name="tar", filter_name="none") as archive:
        for entry in archive:
            if not (entry.isreg or entry.isdir) or entry.linkpath:
                raise VerificationFailed(f"more than a plain file: {entry.pathname!r}")
            found.append((entry.pathname, _content(entry.get_blocks()) if entry.isreg else None))
    return found


def verify_gzip(output: Source, _original: Source, context: Context) -> None:
    """One bare gzip member around exactly the part that the engine delivered. Raises VerificationFailed."""
    if output.head(10) != b"\x1f\x8b\x08\0\0\0\0\0\0\xff":
        raise VerificationFailed("gzip header says more than it should")
    delivered = _made(context.parts)
    decoder = zlib.decompressobj(31)
    try:
        content = _content(_inflated(decoder, output, sum(part.size for part in delivered) + 1))
    except zlib.error as error:
        raise VerificationFailed(f"gzip: {error}") from None
    expected = [part.sha256 for part in delivered] or [hashlib.sha256(b"").hexdigest()]
    if not decoder.eof or decoder.unused_data or [content.sha256] != expected:
        raise VerificationFailed("gzip does not hold what was rebuilt")


def _inflated(decoder: Any, output: Source, cap: int) -> Iterator[bytes]:
    for block in output.blocks():
        while block and cap > 0:
            made = decoder.decompress(block, min(cap, _STEP))
            cap -= len(made)
            yield made
            block = decoder.unconsumed_tail  # noqa: PLW2901 - what is left of it
    while cap > 0 and (made := decoder.decompress(b"", min(cap, _STEP))):
        cap -= len(made)
        yield made


def _check_parts(members: Iterable[tuple[str, _Content]], context: Context) -> None:
    """The members are the delivered parts, all of them and as often; anything else must be empty or a notice."""
    left = Counter(part.sha256 for part in _delivered(context))
    for name, content in members:
        if left[content.sha256] > 0:
            left[content.sha256] -= 1
        elif content.size and not _is_notice(name, content.head):
            raise VerificationFailed(f"a member that no sanitizer made: {name!r}")
    if +left:
        raise VerificationFailed(f"{left.total()} delivered members are missing")


def _delivered(context: Context) -> list[PartInfo]:
    """What became of the parts, or of those of the one tar that was repacked as zip."""
    made = _made(context.parts)
    if context.kind in _COMPRESSED and [one.kind for one in made] == [Kind.TAR]:
        return _made(inner for part in context.parts for inner in part.parts)
    return made


def _made(parts: Iterable[Report]) -> list[PartInfo]:
    return [part.output for part in parts if part.output is not None]


def _is_notice(name: str, content: bytes) -> bool:
    text = content.decode("utf-8", "surrogateescape")       # what is no text is not printable either
    plain = all(char.isprintable() or char in "\r\n\u3000" or unicodedata.category(char) == "Co" for char in text)    # 外字 of a name
    return name.endswith(_NOTICES) and len(content) <= _LONGEST_NOTICE and text.startswith(_NOTICE_TITLES) and plain


VERIFIERS: Final = {Kind.ZIP: verify_zip, Kind.TAR: verify_tar, Kind.GZ: verify_gzip}
