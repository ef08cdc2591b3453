"""From the compound file to the new one."""

from __future__ import annotations

from typing import Final

from sanitizers import cfb, cfb_writer
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.office import beside, properties
from sanitizers.formats.ppt import encryption, persist, storages
from sanitizers.formats.ppt.document import Rebuilding
from sanitizers.formats.ppt.grammar import Deck
from sanitizers.formats.ppt.pictures import Store
from sanitizers.model import Action, Kind, Unsupported
from sanitizers.source import Source

_CLASS: Final = bytes.fromhex("108d81649b4fcf1186ea00aa00b929e8")  # {64818D10-4F9B-11CF-86EA-00AA00B929E8}, PowerPoint.Show.8
_DOCUMENT, _USER, _PICTURES = "PowerPoint Document", "Current User", "Pictures"
# Name of a storage or stream below the root, in lower case → what it is.
_CODES: Final = {"_vba_project_cur": "ppt.macro", "macros": "ppt.macro", "msodatastore": "file.metadata"}
_QUIET: Final = frozenset({
    _DOCUMENT.lower(), _USER.lower(), _PICTURES.lower(), "\x05summaryinformation", "\x05documentsummaryinformation", "\x01compobj",
    "\x01ole", "header", "encryptedsummary",
})  # fmt: skip


def rebuild(source: Source, context: Context) -> Rebuilt:
    """The new presentation. Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    compound = cfb.Compound(source, context.budget)
    stream, user = (_read(compound, name) for name in (_DOCUMENT, _USER))
    if stream is None or user is None:
        raise Unsupported("a presentation without the streams of PowerPoint 97")
    edit = persist.read(stream, user)
    beside.report(source, compound, _QUIET, _code, context)
    pictures = _read(compound, _PICTURES) or b""
    if edit.lock:
        stream, pictures = encryption.plain(stream, pictures, edit, context)
    if edit.user:
        context.found("file.metadata", _USER, Action.REMOVED, "last user")
    deck = Deck(context, modules=storages.show(stream, edit, context))
    store = Store(pictures)
    made = Rebuilding(stream, edit, deck, store)
    document, current_user = persist.written(made.parts, made.last_slide)
    streams = {(_DOCUMENT,): document, (_USER,): current_user, **properties.streams(properties.read(compound, context))}
    if store.stream:
        streams[(_PICTURES,)] = bytes(store.stream)
    return Rebuilt(Source(cfb_writer.write(streams, _CLASS)), Kind.PPT)


def _read(compound: cfb.Compound, name: str) -> bytes | None:
    path = compound.find(name)
    return compound.read(path) if path else None


def _code(name: str) -> str:
    return _CODES.get(name) or ("ppt.object" if name.startswith(("mbd", "objectpool")) else "ppt.unknown_stream")
