"""ZIP archives: read strictly, every member rebuilt, packed anew.

Removes: members that cannot be delivered, links and special files, paths that climb, comments, extra fields, encryption
Keeps: folders, order and Japanese names of the members; each member as its own sanitizer makes it
Refuses: anything two readers could see differently (ZipDiff), hidden bytes, split sets, members no password opens, bombs
Spec: APPNOTE.TXT 6.3.10; ISO/IEC 21320-1; WinZip AES 1.04; ZipDiff (USENIX Security '25)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import held
from sanitizers.formats.archive.pack import Entry, Pack, What
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Encrypted, Kind, Malformed, Unsupported
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises what `sanitizers.zip` raises, and what `Pack.finish` raises."""
    opened = _opened(source, context)
    pack = Pack(context, archive.Writer(), "zip")
    for entry in _entries(opened, context):
        pack.take(entry)
    content = pack.finish()
    _report_container(opened, pack.delivered, context)
    return Rebuilt(content, Kind.ZIP)


def _opened(source: Source, context: Context) -> archive.Archive:
    """Part of a split set looks like a broken archive; its name or the marker of its first part tells."""
    try:
        return archive.open_archive(source, most=context.limits.parts)
    except Malformed as refusal:
        if held.is_volume(source, context.name):
            raise Unsupported("part of a split set: ask the sender for one file", code="archive.multi_volume") from refusal
        raise


def _entries(opened: archive.Archive, context: Context) -> Iterator[Entry]:
    for member in opened.members:
        what = What.OTHER if member.symlink else What.FOLDER if member.directory else What.FILE
        yield Entry(member.name, what, partial(_read, opened, member, context), member.guessed)


def _read(opened: archive.Archive, member: archive.Member, context: Context) -> Source:
    try:
        return opened.open(member, context.budget, context.passwords)
    except Encrypted as refusal:
        locked = [other.name for other in opened.members if other.encrypted and not other.directory]
        refusal.detail = f"{refusal.detail}: {', '.join(locked)}"
        raise


def _report_container(opened: archive.Archive, delivered: set[str], context: Context) -> None:
    """What the new container does not have of the old one, besides the members that were left out."""
    if opened.comment:
        context.found("zip.comment", "", Action.REMOVED, f"{opened.comment} bytes")
    for member in opened.members:
        if member.commented:
            context.found("zip.comment", member.name)
        if member.extra:
            context.found("zip.extra_data", member.name)
        if member.backslash and (member.directory or member.name in delivered):
            context.found("zip.backslash", member.name, Action.REWRITTEN)
        if member.encrypted and member.name in delivered:
            context.found("file.decrypted", member.name, Action.REWRITTEN)


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.ZIP}),
    sanitize=sanitize,
    removes="bad members, links, climbing paths, comments, extra fields, encryption",
    keeps="folders, order, Japanese names, every clean member",
    refuses="all 14 ZipDiff ambiguities, hidden bytes, split sets, bombs, members without a password",
    spec="APPNOTE 6.3.10, ISO/IEC 21320-1, WinZip AES",
)
