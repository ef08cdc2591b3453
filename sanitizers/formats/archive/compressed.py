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
from typing import Any, Final

from isal import isal_zlib

from sanitizers import library, names
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import tar
from sanitizers.formats.archive.pack import What, refusal_of
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.inflating import Inflating
from sanitizers.model import Action, Kind, LimitExceeded, Malformed
from sanitizers.source import BLOCK, Folding, Source

_FEED: Final = 1 << 16             # bytes of input per step
_DECODER_ERRORS: Final = (OSError, EOFError, lzma.LZMAError, ValueError)

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
    return Rebuilt(_gzip(clean), Kind.GZ)


def sanitize_other(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, LimitExceeded, and the refusal of the content."""
    content = _decompress(source, context.kind, _cap(context))
    context.budget.spend_bytes(len(content))
    clean, kind = _examined(content, context)
    writer = archive.Writer()
    if kind is Kind.TAR:
        for member in tar.members(clean, context.limits.parts):
            writer.add(member.name.rstrip("/") + "/" if member.what is What.FOLDER else member.name, tar.content(clean, member))
    else:
        writer.add(names.with_extension(_inner_name(context.name), kind), clean)
    context.found("archive.container_converted", "", Action.REWRITTEN, f"{context.kind} to zip")
    return Rebuilt(writer.source(), Kind.ZIP)


def _examined(content: Source, context: Context) -> tuple[Source, Kind]:
    """The clean content and its kind; of nothing there is nothing to clean."""
    if not len(content):
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


def _gunzip(source: Source, cap: int, most: int) -> tuple[Source, str]:
    """The contents of all gzip members (RFC 1952 2.2), at most `most`, and what their headers tell; zeros may pad the end."""
    data = source.view
    whole = Folding()
    said: list[str] = []
    at, count = 0, 0
    while True:
        start, described = _gzip_header(data, at)
        said += described
        before, crc = whole.size, 0
        stream = Inflating(data, start)
        for block in stream.blocks("", "archive.malformed", "archive.malformed"):
            whole.add(block)
            crc = isal_zlib.crc32(block, crc)
            if whole.size > cap:
                raise LimitExceeded(f"expands to more than {cap} bytes")
        if stream.at + 8 > len(data):
            raise Malformed("gzip stream is cut short", code="archive.malformed")
        if (crc, (whole.size - before) & 0xFFFFFFFF) != struct.unpack_from("<II", data, stream.at):
            raise Malformed("gzip checksum", code="archive.malformed")
        at, count = stream.at + 8, count + 1
        if bytes(data[at : at + 3]) != _GZIP_MAGIC:
            break
        if count >= most:
            raise LimitExceeded(f"more than {most} gzip members")
    if bytes(data[at:]).strip(b"\0"):
        raise Malformed(f"{len(data) - at} bytes after the gzip stream", code="archive.trailing_data")
    return whole.source(), ", ".join(dict.fromkeys(said))


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


def _decompress(source: Source, kind: Kind, cap: int) -> Source:
    if kind is Kind.BZ2:
        return _streams(source, bz2.BZ2Decompressor, cap)
    if kind is Kind.XZ:
        return _streams(source, _xz_decoder, cap)
    through = {Kind.ZST: "zstd", Kind.LZ4: "lz4", Kind.COMPRESS: "compress"}[kind]
    with library.reading(source.bytes(), "raw", through) as opened:
        return opened.first(cap)


def _xz_decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=256 << 20)


def _streams(source: Source, new_decoder: Any, cap: int) -> Source:
    """bz2 and xz: one or more streams behind each other, xz with zeros for padding, nothing else."""
    whole = Folding()
    rest: bytes | memoryview = source.view
    while True:
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
                made = decoder.decompress(piece, BLOCK)
            except _DECODER_ERRORS as error:
                raise Malformed(f"compressed stream: {error}", code="archive.malformed") from None
            cap -= len(made)
            if cap < 0:
                raise LimitExceeded("expands past the limit")
            whole.add(made)
        rest = feed[at - len(decoder.unused_data) :]
        if not bytes(rest[:_FEED]).strip(b"\0") and not bytes(rest).strip(b"\0"):
            break
    return whole.source()


def _gzip(content: Source) -> Source:
    """One gzip member without name and time (RFC 1952; operating system 255, unknown)."""
    pieces, crc = archive.deflated(content)
    trailer = struct.pack("<II", crc, len(content) & 0xFFFFFFFF)
    return Source(b"".join((b"\x1f\x8b\x08\0\0\0\0\0\0\xff", *pieces, trailer)))


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
