"""Single compressed files and compressed tars: gz stays gz; bz2, xz, zst, lz4 and Z become zip.

Removes: the gzip header's name, comment and time; what the content's own sanitizer removes
Keeps: the content as its own sanitizer makes it; a tar inside gz stays a tar inside gz
Refuses: broken or cut streams, bad checksums, bytes after the stream, content that is refused itself
Spec: RFC 1952 (gzip); the .bz2, .xz (1.2.1), Zstandard (RFC 8878), LZ4 frame and compress(1) formats
"""

from __future__ import annotations

import bz2
import lzma
import struct
from typing import Any, Final, cast

from isal import isal_zlib

from sanitizers import names
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import library, tar
from sanitizers.formats.archive.pack import What, refusal_of
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind, LimitExceeded, Malformed
from sanitizers.source import Source

_STEP: Final = 1 << 20             # bytes of output per step
_FEED: Final = 1 << 16             # bytes of input per step
_DEFLATE_ERROR: Final[type[Exception]] = cast("Any", isal_zlib.IsalError)
_DECODER_ERRORS: Final = (_DEFLATE_ERROR, OSError, EOFError, lzma.LZMAError, ValueError)

_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_TARS: Final = {"tgz": "tar", "taz": "tar", "tbz": "tar", "tbz2": "tar", "txz": "tar", "tzst": "tar"}
_OWN: Final = frozenset({"gz", "bz2", "xz", "zst", "lz4", "z", "lzma"})


def sanitize_gzip(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, LimitExceeded, and the refusal of the content."""
    content, described = _gunzip(source, _cap(context), context.limits.parts)
    context.budget.spend_bytes(len(content))
    clean, _ = _examined(content, context)
    if described:
        context.found("archive.comment", "", Action.REMOVED, described)
    return Rebuilt(Source(_gzip(clean)), Kind.GZ)


def sanitize_other(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, LimitExceeded, and the refusal of the content."""
    content = _decompress(source, context.kind, _cap(context))
    context.budget.spend_bytes(len(content))
    clean, kind = _examined(content, context)
    writer = archive.Writer()
    if kind is Kind.TAR:
        for member in tar.members(clean, context.limits.parts):
            data = bytes(clean.view[member.start : member.start + member.size])
            writer.add(member.name.rstrip("/") + "/" if member.what is What.FOLDER else member.name, data)
    else:
        writer.add(names.with_extension(_inner_name(context.name), kind), clean.bytes())
    context.found("archive.container_converted", "", Action.REWRITTEN, f"{context.kind} to zip")
    return Rebuilt(Source(writer.finish()), Kind.ZIP)


def _examined(content: bytes, context: Context) -> tuple[Source, Kind]:
    """The clean content and its kind; of nothing there is nothing to clean."""
    if not content:
        return Source(b""), Kind.TEXT
    name = _inner_name(context.name)
    outcome = context.embed(name, content, name)
    if outcome.content is None or outcome.report.output is None:
        raise refusal_of(outcome.report, name)
    return outcome.content, outcome.report.output.kind


def _inner_name(name: str) -> str:
    """report.csv of report.csv.gz, data.tar of data.tgz."""
    plain = names.safe(name)
    ending = names.extension(plain)
    stem = plain.rpartition(".")[0] if ending in _OWN or ending in _TARS else plain
    return f"{stem or 'file'}.{_TARS[ending]}" if ending in _TARS else stem or "file"


def _cap(context: Context) -> int:
    """One content may take a quarter of the child's memory: it stands there as decoded, rebuilt, and packed again."""
    return min(context.budget.expanded_left, context.limits.memory_bytes // 4)


def _gunzip(source: Source, cap: int, most: int) -> tuple[bytes, str]:
    """The contents of all gzip members (RFC 1952 2.2), at most `most`, and what their headers tell; zeros may pad the end."""
    data = source.view
    pieces: list[bytes] = []
    said: list[str] = []
    at, left = 0, cap
    while True:
        start, described = _gzip_header(data, at)
        said += described
        content, end = _inflate(data, start, left)
        if end + 8 > len(data):
            raise Malformed("gzip stream is cut short", code="archive.malformed")
        crc, size = struct.unpack_from("<II", data, end)
        if isal_zlib.crc32(content) != crc or len(content) & 0xFFFFFFFF != size:
            raise Malformed("gzip checksum", code="archive.malformed")
        pieces.append(content)
        left -= len(content)
        at = end + 8
        if bytes(data[at : at + 3]) != _GZIP_MAGIC:
            break
        if len(pieces) >= most:
            raise LimitExceeded(f"more than {most} gzip members")
    if bytes(data[at:]).strip(b"\0"):
        raise Malformed(f"{len(data) - at} bytes after the gzip stream", code="archive.trailing_data")
    return b"".join(pieces), ", ".join(dict.fromkeys(said))


def _gzip_header(data: memoryview, at: int) -> tuple[int, list[str]]:
    """Where the deflate stream begins, and which descriptions the header carries besides a file name."""
    if len(data) < at + 10 or bytes(data[at : at + 3]) != _GZIP_MAGIC or data[at + 3] & 0xE0:
        raise Malformed("gzip header", code="archive.malformed")
    flags, place = data[at + 3], at + 10
    said = []
    if flags & 4:
        place += 2 + int.from_bytes(data[place : place + 2], "little")
        said.append("extra field")
    for bit, what in ((8, ""), (16, "comment")):
        if flags & bit:
            ending = bytes(data[place : place + _FEED]).find(b"\0")
            if ending < 0:
                raise Malformed("gzip header", code="archive.malformed")
            place += ending + 1
            said += [what] if what else []
    return place + (2 if flags & 2 else 0), said


def _inflate(data: memoryview, start: int, cap: int) -> tuple[bytes, int]:
    """Raw deflate from `start`; the content and where the stream ends."""
    decoder: Any = isal_zlib.decompressobj(-15)
    content, at = _run(decoder, data, start, cap)
    return content, at - len(decoder.unused_data)


def _run(decoder: Any, data: memoryview, start: int, cap: int) -> tuple[bytes, int]:
    """Feed a zlib-like decoder until its stream ends; stop past `cap`. Returns the content and how far input was fed."""
    pieces: list[bytes] = []
    size, at = 0, start
    waiting: bytes | memoryview = b""
    while not decoder.eof:
        if not waiting:
            if at >= len(data):
                raise Malformed("compressed stream is cut short", code="archive.malformed")
            waiting = data[at : at + _FEED]
            at += len(waiting)
        try:
            piece = decoder.decompress(waiting, _STEP)
        except _DECODER_ERRORS as error:
            raise Malformed(f"compressed stream: {error}", code="archive.malformed") from None
        waiting = decoder.unconsumed_tail
        size += len(piece)
        if size > cap:
            raise LimitExceeded(f"expands to more than {cap} bytes")
        pieces.append(piece)
    return b"".join(pieces), at


def _decompress(source: Source, kind: Kind, cap: int) -> bytes:
    if kind is Kind.BZ2:
        return _streams(source, bz2.BZ2Decompressor, cap)
    if kind is Kind.XZ:
        return _streams(source, _xz_decoder, cap)
    through = {Kind.ZST: "zstd", Kind.LZ4: "lz4", Kind.COMPRESS: "compress"}[kind]
    with library.reading(source.bytes(), "raw", through) as opened:
        for _ in opened.entries():
            return opened.read(cap)
    raise Malformed("empty stream", code="archive.malformed")


def _xz_decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=256 << 20)


def _streams(source: Source, new_decoder: Any, cap: int) -> bytes:
    """bz2 and xz: one or more streams behind each other, xz with zeros for padding, nothing else."""
    pieces: list[bytes] = []
    rest: bytes | memoryview = source.view
    while len(rest):
        decoder = new_decoder()
        feed, at = rest, 0
        while not decoder.eof:
            piece = b""
            if decoder.needs_input:
                piece = bytes(feed[at : at + _FEED])
                at += len(piece)
                if not piece:
                    raise Malformed("compressed stream is cut short", code="archive.malformed")
            try:
                made = decoder.decompress(piece, _STEP)
            except _DECODER_ERRORS as error:
                raise Malformed(f"compressed stream: {error}", code="archive.malformed") from None
            cap -= len(made)
            if cap < 0:
                raise LimitExceeded("expands past the limit")
            pieces.append(made)
        rest = feed[at - len(decoder.unused_data) :]
        if not bytes(rest[:_FEED]).strip(b"\0") and not bytes(rest).strip(b"\0"):
            break
    return b"".join(pieces)


def _gzip(content: Source) -> bytes:
    """One gzip member without name and time (RFC 1952; operating system 255, unknown)."""
    data = content.bytes()
    trailer = struct.pack("<II", isal_zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return b"".join((b"\x1f\x8b\x08\0\0\0\0\0\0\xff", archive.deflate(data), trailer))


GZIP = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.GZ}),
    sanitize=sanitize_gzip,
    removes="comments and extra fields of the gzip header",
    keeps="the content as its own sanitizer makes it",
    refuses="broken or cut streams, trailing bytes, refused content",
    spec="RFC 1952",
)
OTHER = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.BZ2, Kind.XZ, Kind.ZST, Kind.LZ4, Kind.COMPRESS}),
    sanitize=sanitize_other,
    removes="bad members of a tar inside",
    keeps="the content, inside a new zip",
    refuses="broken or cut streams, refused content",
    spec="bzip2, xz 1.2.1, RFC 8878, LZ4 frame, compress",
)
