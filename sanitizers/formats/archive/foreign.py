"""Archives that people send but nobody needs to get back in the same form: read by libarchive, packed anew as zip.

Removes: members that cannot be delivered, links and special files, paths that climb, comments, self-extraction
Keeps: folders, order and Japanese names of the members; each member as its own sanitizer makes it
Refuses: split sets, encrypted archives, broken ones, bombs
Spec: 7zFormat.txt (7-Zip SDK); RAR 5.0 archive format; [MS-CAB]; LHa header levels 0-2; cpio(5); ar(5); ECMA-119
"""

from __future__ import annotations

import stat
from functools import partial
from typing import Final

from sanitizers import names
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import library, rar
from sanitizers.formats.archive.pack import Entry, Pack, What
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Encrypted, Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_FORMS: Final = {
    Kind.SEVENZIP: "7zip",
    Kind.CAB: "cab",
    Kind.CPIO: "cpio",
    Kind.AR: "ar",
    Kind.LZH: "lha",
    Kind.ISO: "iso9660",
}


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded, and what `Pack.finish` raises."""
    data = source.bytes()
    _refuse_split(data, context.kind)
    pack = Pack(context, archive.Writer(), "archive")
    seen: set[str] = set()
    count = 0
    with library.reading(data, _form(data, context.kind)) as opened:
        for found in opened.entries():
            count += 1
            if count > context.limits.parts:
                raise LimitExceeded(f"more than {context.limits.parts} members")
            name, guessed = names.decode_unmarked(found.name)
            if found.encrypted:
                raise Encrypted(f"needs a password: {name}", where=name)
            pack.take(Entry(name, _what(found, name, seen), partial(_read, opened, context), guessed))
    pack.rewritten("archive.container_converted", "", f"{context.kind} to zip")
    return Rebuilt(Source(pack.finish()), Kind.ZIP)


def _form(data: bytes, kind: Kind) -> str:
    return rar.form(data) if kind is Kind.RAR else _FORMS[kind]


def _read(opened: library.Reading, context: Context) -> bytes:
    content = opened.read(min(context.budget.expanded_left, context.limits.memory_bytes // 4))
    context.budget.spend_bytes(len(content))
    return content


def _what(found: library.Found, name: str, seen: set[str]) -> What:
    if found.linked:
        return What.OTHER
    if stat.S_ISDIR(found.mode):
        return What.FOLDER
    if not stat.S_ISREG(found.mode):
        return What.OTHER
    spelled = names.key(name)
    if spelled in seen:
        raise Malformed("the same name twice", where=name, code="archive.duplicate_name")
    seen.add(spelled)
    return What.FILE


def _refuse_split(data: bytes, kind: Kind) -> None:
    split = False
    if kind is Kind.SEVENZIP and len(data) >= 32:   # 7zFormat.txt: NextHeaderOffset and NextHeaderSize from byte 12
        split = 32 + int.from_bytes(data[12:20], "little") + int.from_bytes(data[20:28], "little") > len(data)
    elif kind is Kind.CAB and len(data) >= 36:      # [MS-CAB] 2.1 CFHEADER.flags: previous and next cabinet
        split = bool(data[30] & 3)
    elif kind is Kind.RAR:
        rar.refuse_locked(data)
    if split:
        raise Unsupported("split archive, or its end is missing", code="archive.multi_volume")


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({*_FORMS, Kind.RAR}),
    sanitize=sanitize,
    removes="bad members, links, climbing paths, comments",
    keeps="folders, order, Japanese names, every clean member, in a new zip",
    refuses="split sets, encryption, broken archives, bombs",
    spec="7zFormat, RAR 5.0, MS-CAB, LHa, cpio, ar, ECMA-119",
)
