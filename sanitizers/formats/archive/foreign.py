"""Archives that people send but nobody needs to get back in the same form: read by libarchive, packed anew as zip.

Removes: members that cannot be delivered, links and special files, paths that climb, comments, self-extraction
Keeps: folders, order and Japanese names of the members; each member as its own sanitizer makes it
Refuses: split sets, members that no password opens, broken archives, bombs
Spec: 7zFormat.txt (7-Zip SDK); RAR 5.0 archive format; [MS-CAB]; LHa header levels 0-2; cpio(5); ar(5); ECMA-119
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from sanitizers import library, names
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import lzh, rar, rar_locked, sevenzip
from sanitizers.formats.archive.pack import Entry, Pack, What
from sanitizers.formats.archive.sevenzip_streams import UNREADABLE
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Encrypted, Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_FORMS: Final = {
    Kind.SEVENZIP: "7zip",
    Kind.CAB: "cab",
    Kind.CPIO: "cpio",
    Kind.AR: "ar",
    Kind.ISO: "iso9660",
}

_MOST_LISTED: Final = 50


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded, and what `Pack.finish` raises."""
    data = source.bytes()
    _refuse_split(data, context.kind)
    pack = Pack(context, archive.Writer(), "archive")
    seen: set[str] = set()
    for count, entry in enumerate(_entries(data, context, pack)):
        if count >= context.limits.parts:
            raise LimitExceeded(f"more than {context.limits.parts} members")
        _refuse_twin(entry, seen)
        pack.take(entry)
    pack.rewritten("archive.container_converted", "", f"{context.kind} to zip")
    return Rebuilt(pack.finish(), Kind.ZIP)


def _entries(data: bytes, context: Context, pack: Pack) -> Iterator[Entry]:
    cap = context.limits.memory_bytes // 4
    if context.kind is Kind.LZH:
        for member in lzh.members(data, context.limits.parts):
            yield Entry(member.name, member.what, partial(_read_lzh, data, member, cap, context), member.guessed)
        return
    if context.kind is Kind.SEVENZIP and (locked := _locked_sevenzip(data, context)):
        for part in locked.members:
            yield Entry(part.name, part.what, partial(_read_sevenzip, locked, part, cap, context))
        pack.rewritten("file.decrypted")
        return
    if context.kind is Kind.RAR and rar.is_locked(data):
        yield from _locked_rar(data, cap, context)
        pack.rewritten("file.decrypted")
        return
    with library.reading(data, rar.form(data) if context.kind is Kind.RAR else _FORMS[context.kind]) as opened:
        try:
            for found in opened.entries():
                name, guessed = names.decode_unmarked(found.name)
                if found.encrypted:
                    raise Encrypted(name)
                yield Entry(name, _what(found), partial(_read, opened, cap, context), guessed)
        except Encrypted as refusal:    # a 7z with coders that no reader here understands together with its encryption
            raise Unsupported(UNREADABLE, code="archive.locked") from refusal


def _read(opened: library.Reading, cap: int, context: Context) -> Source:
    content = opened.read(min(context.budget.expanded_left, cap))
    context.budget.spend_bytes(len(content))
    return content


def _read_lzh(data: bytes, member: lzh.Member, cap: int, context: Context) -> Source:
    content = lzh.read(data, member, min(context.budget.expanded_left, cap))
    context.budget.spend_bytes(len(content))
    return content


def _locked_sevenzip(data: bytes, context: Context) -> sevenzip.Archive | None:
    """A 7z archive with a password, opened; None for one that libarchive shall read."""
    try:
        opened = sevenzip.open_archive(data, context.passwords, context.limits.parts)
    except Unsupported as refusal:
        if refusal.code == "archive.locked":
            raise
        return None
    return opened if opened.locked else None


def _read_sevenzip(opened: sevenzip.Archive, member: sevenzip.Member, cap: int, context: Context) -> Source:
    try:
        content = Source(opened.content(member, min(context.budget.expanded_left, cap)))
    except Encrypted as refusal:
        refusal.detail += ": " + ", ".join(other.name for other in opened.members if other.folder >= 0)
        raise
    context.budget.spend_bytes(len(content))
    return content


def _locked_rar(data: bytes, cap: int, context: Context) -> Iterator[Entry]:
    try:
        unlocked = _unlocked_rar(data, context.passwords, min(context.budget.expanded_left, cap))
    except Encrypted as refusal:
        refusal.detail += _listed(data)
        raise
    sums = iter(unlocked.sums)
    with library.reading(unlocked.data, rar.form(data)) as opened:
        for found in opened.entries():
            name, guessed = names.decode_unmarked(found.name)
            yield Entry(name, _what(found), partial(_read_summed, opened, next(sums, None), name, cap, context), guessed)


def _unlocked_rar(data: bytes, passwords: tuple[str, ...], cap: int) -> rar_locked.Opened:
    """RAR 5 says itself which password fits; of a RAR 4 it is the one under which the first locked file comes out right."""
    for unlocked in rar_locked.opened(data, passwords):
        if rar.form(data) == "rar5" or _comes_out(unlocked, cap):
            return unlocked
    raise Encrypted("no password opens it")


def _comes_out(unlocked: rar_locked.Opened, cap: int) -> bool:
    sums = iter(unlocked.sums)
    with suppress(Malformed, Unsupported), library.reading(unlocked.data, "rar") as opened:
        for found in opened.entries():
            known = next(sums, None)
            if known is not None and stat.S_ISREG(found.mode) and len(content := opened.read(cap)):
                return known.fits(content)
        return True
    return False


def _read_summed(opened: library.Reading, known: rar_locked.Sum | None, name: str, cap: int, context: Context) -> Source:
    content = _read(opened, cap, context)
    if known is not None and not known.fits(content):
        raise Malformed("RAR member fails its checksum", where=name, code="archive.malformed")
    return content


def _what(found: library.Found) -> What:
    if found.linked or not (stat.S_ISDIR(found.mode) or stat.S_ISREG(found.mode)):
        return What.OTHER
    return What.FOLDER if stat.S_ISDIR(found.mode) else What.FILE


def _refuse_twin(entry: Entry, seen: set[str]) -> None:
    """Unpackers let the later one win, listings show both."""
    spelled = names.key(entry.name)
    if entry.what is What.FILE and spelled in seen:
        raise Malformed("the same name twice", where=entry.name, code="archive.duplicate_name")
    seen.add(spelled)


def _refuse_split(data: bytes, kind: Kind) -> None:
    split = False
    if kind is Kind.SEVENZIP:   # 7zFormat.txt: StartHeaderCRC, then NextHeaderOffset and NextHeaderSize from byte 12
        if len(data) < 32 or zlib.crc32(data[12:32]) != int.from_bytes(data[8:12], "little"):
            raise Malformed("7z start header", code="archive.malformed")
        split = 32 + int.from_bytes(data[12:20], "little") + int.from_bytes(data[20:28], "little") > len(data)
    elif kind is Kind.CAB and len(data) >= 36:      # [MS-CAB] 2.1 CFHEADER.flags: previous and next cabinet
        split = bool(data[30] & 3)
    if split:
        raise Unsupported("split archive, or its end is missing", code="archive.multi_volume")


def _listed(data: bytes) -> str:
    """The names in a RAR whose contents are locked, as far as they can be read."""
    listed = []
    with suppress(Malformed, Encrypted, Unsupported, LimitExceeded), library.reading(data, rar.form(data)) as opened:
        for found in opened.entries():
            listed.append(names.decode_unmarked(found.name)[0])
            if len(listed) == _MOST_LISTED:
                break
    return ": " + ", ".join(listed) if listed else ""


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({*_FORMS, Kind.RAR, Kind.LZH}),
    sanitize=sanitize,
    removes="bad members, links, climbing paths, comments",
    keeps="folders, order, Japanese names, every clean member, in a new zip",
    refuses="split sets, members without a password, broken archives, bombs",
    spec="7zFormat, RAR 5.0, MS-CAB, LHa, cpio, ar, ECMA-119",
)
