"""From the compound file to the new one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from sanitizers import cfb, cfb_writer
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import words
from sanitizers.formats.jtd import compressed, segments, store, styles, text
from sanitizers.formats.office import property_sets as sets
from sanitizers.model import Action, Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_TEXT, _COMPRESSED, _MACROS, _SUMMARY = "DocumentText", "JSCompDocument", "DocumentMacro", "\x05SummaryInformation"
_CLASS: Final = bytes.fromhex("841dcf1197130020afd806f4")  # the end of the class ids of the maker's documents
_LARGEST: Final = 1 << 20  # bytes of a stream whose values nobody can judge
_MOST_CLASSES: Final = 100  # of records, in the report
# Where lines and pages end, templates, what else is said about the document: 一太郎 makes it anew, or nobody misses it.
_QUIET: Final = frozenset({"LineMark", "PageMark", "PaperMark", "DocumentTextPositionTables", "ThinkingTemplate", segments.NAME})
_METADATA: Final = frozenset({"\x04JSRV_SummaryInformation", "ReferenceInfo", "RelatedDocuments"})
_OBJECTS: Final = ("embedding", "oleitem")
_EMPTY_MACROS: Final = frozenset({"InfoStream", "MacrosStream", "MacrosStreamStyle3", segments.NAME})
_GONE: Final = {
    sets.AUTHOR: "author", sets.COMMENTS: "comments", sets.TEMPLATE: "template", sets.LAST_AUTHOR: "last author",
}  # fmt: skip
_KEPT: Final = (sets.TITLE, sets.SUBJECT, sets.KEYWORDS)


def rebuild(source: Source, context: Context) -> Rebuilt:
    """The new document, never compressed. Raises Malformed, Unsupported, LimitExceeded."""
    compound = cfb.Compound(source, context.budget)
    if path := compound.find(_COMPRESSED):
        _judge_wrapping(compound, context)
        source = compressed.inner(compound.read(path), context)
        context.scan_layer(source.bytes(), _COMPRESSED)
        _summary(compound, context)
        context.found("jtd.unpacked", "", Action.REWRITTEN)
        compound = cfb.Compound(source, context.budget)
    if compound.find(_TEXT) is None:
        raise Unsupported("a document without a text of its own", code="jtd.unproven")
    if compound.class_id[4:] != _CLASS:
        raise Malformed("class of the document", code="jtd.malformed")
    try:
        return Rebuilt(Source(_written(compound, context)), Kind.JTD)
    except Unsupported as refusal:
        if refusal.code != "jtd.unproven" or not context.treatment.unrebuilt_as_text:
            raise
    return _as_text(cfb.Compound(source, context.budget), context)


def _written(compound: cfb.Compound, context: Context) -> bytes:
    table = compound.find(segments.NAME)
    if table is None:
        raise Malformed("no table of streams", code="jtd.malformed")
    listed = compound.read(table)
    kinds = {one.name: one for one in segments.read(listed)}
    _judge_storages(compound, context)
    made: dict[str, bytes] = {}
    for path, stream in compound.streams.items():
        if len(path) == 1 and path[0] in _READERS:
            if path[0] not in kinds or kinds[path[0]].size != stream.size:
                raise Malformed(f"the table of streams knows {path[0]} otherwise", code="jtd.malformed")
            made[path[0]] = _READERS[path[0]](compound.read(path))
        elif len(path) == 1:
            _judge(path[0], context)
    if summary := _summary(compound, context):
        made[_SUMMARY] = summary
    if unjudged := sorted(made.keys() & _UNJUDGED):
        context.found("jtd.values_kept", "", Action.KEPT, ", ".join(unjudged))
    order = [name for name in dict.fromkeys((*kinds, _SUMMARY)) if name in made]
    entries = [segments.Segment(name, len(made[name]), kinds[name].kind if name in kinds else 1) for name in order]
    streams: dict[cfb.Path, bytes] = {(name,): data for name, data in made.items()}
    streams[(segments.NAME,)] = segments.written(listed, entries)
    return cfb_writer.write(streams, compound.class_id)


def _judge(name: str, context: Context) -> None:
    """A stream that does not come along: is the document whole without it?"""
    if name in _METADATA:
        context.found("file.metadata", name)
    elif name not in _QUIET and name != _SUMMARY:
        raise Unsupported(f"{name}: nobody knows what it is made of", where=name, code="jtd.unproven")


def _judge_wrapping(compound: cfb.Compound, context: Context) -> None:
    """What lies beside a compressed document: what is said about it, and nothing else."""
    _judge_storages(compound, context)
    for path in compound.streams:
        if len(path) == 1 and path[0] != _COMPRESSED:
            _judge(path[0], context)


def _judge_storages(compound: cfb.Compound, context: Context) -> None:
    for path in compound.storages:
        if path[0] == _MACROS:
            continue
        if not path[0].lower().startswith(_OBJECTS):
            raise Unsupported(f"{path[0]}: nobody knows what it is made of", where=path[0], code="jtd.unproven")
        context.found("jtd.object", path[0])
    if macros := _macros(compound):
        for path in macros:
            context.scan_layer(compound.read(path), "/".join(path))
        context.found("jtd.macro", _MACROS)


def _macros(compound: cfb.Compound) -> list[cfb.Path]:
    """The streams of macros; none where they are all empty."""
    macros = [path for path in compound.streams if path[0] == _MACROS and len(path) > 1]
    said = (path[-1] not in _EMPTY_MACROS or (path[-1].startswith("MacrosStream") and compound.streams[path].size > 2) for path in macros)
    return macros if any(said) else []


def _summary(compound: cfb.Compound, context: Context) -> bytes:
    """Title, subject and keywords; empty where nothing is left."""
    path = compound.find(_SUMMARY)
    found = [one for one in sets.read(compound.read(path)) if one.kind == sets.SUMMARY] if path else []
    gone = [name for one in found for number, name in _GONE.items() if number in one.values]
    if gone:
        context.found("file.metadata", "SummaryInformation", Action.REMOVED, ", ".join(gone))
    kept = {number: value for one in found for number, value in one.values.items() if number in _KEPT}
    return sets.write([sets.PropertySet(sets.SUMMARY, kept, {})]) if kept else b""


def _as_text(compound: cfb.Compound, context: Context) -> Rebuilt:
    """The text has to be as whole as ever; what nobody knows stays behind, with a word about each."""
    table = compound.find(segments.NAME)
    listed = {one.name: one.size for one in segments.read(compound.read(table) if table else b"")}
    macros = _macros(compound)
    said: dict[str, str] = {}
    classes: list[int] = []
    for path, stream in compound.streams.items():
        if path[0] not in _SPOKEN or len(path) > 1:
            _leave(path, compound, context, macros)
            continue
        if listed.get(path[0]) != stream.size:
            raise Malformed(f"the table of streams knows {path[0]} otherwise", code="jtd.malformed")
        runs = store.read(compound.read(path))
        said[path[0]] = text.check(runs, classes) if runs or path[0] == _TEXT else ""
    if _TEXT not in said:
        raise Malformed("name of the text", code="jtd.malformed")
    _say_left(classes, context)
    shown = [title + _LINES.sub("\r\n", _UNSEEN.sub("", said[name])).strip("\r\n") for name, title in _SPOKEN.items() if said.get(name)]
    return words.rebuilt("\r\n\r\n".join(shown) + "\r\n", "jtd.as_text", context)


def _say_left(classes: list[int], context: Context) -> None:
    """How many records of each class stay behind; of very many classes only their number."""
    counted = sorted(Counter(classes).items())
    for kind, count in counted[:_MOST_CLASSES]:
        context.found("jtd.part_left", f"record {kind:04X}", Action.REMOVED, f"{count}")
    if len(counted) > _MOST_CLASSES:
        context.found("jtd.part_left", "records", Action.REMOVED, f"{len(counted) - _MOST_CLASSES} more classes")


def _leave(path: cfb.Path, compound: cfb.Compound, context: Context, macros: list[cfb.Path]) -> None:
    """Known and of no account, or scanned and reported."""
    name = path[0]
    if name in _METADATA:
        context.found("file.metadata", name)
    elif path in macros:
        context.scan_layer(compound.read(path), "/".join(path))
        context.found("jtd.macro", _MACROS)
    elif name not in _QUIET and name != _SUMMARY and name not in _READERS and name != _MACROS:
        context.scan_layer(compound.read(path), "/".join(path))
        context.found("jtd.object" if name.lower().startswith(_OBJECTS) else "jtd.part_left", name)


def _words(stream: bytes) -> bytes:
    runs = store.read(stream)
    text.check(runs)
    return store.written(runs)


def _header(stream: bytes) -> bytes:
    """Headers and footers: the same, if anything is said at all."""
    runs = store.read(stream)
    if runs:
        text.check(runs)
    return store.written(runs)


def _values(stream: bytes) -> bytes:
    if len(stream) > _LARGEST:
        raise LimitExceeded("values that nobody can judge")
    return store.written(store.read(stream))


def _styles(stream: bytes) -> bytes:
    if len(stream) > _LARGEST:
        raise LimitExceeded("styles that nobody can judge")
    return styles.sections(stream)


_READERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    _TEXT: _words,
    "Header": _header,
    "Footnote": _header,
    "Font": styles.fonts,
    "DocumentViewStyles": _styles,
    "DocumentEditStyles": _styles,
    "DocumentPeripheralThree": _values,
}
# What is said in words, and what stands above them where the text alone goes out.
_SPOKEN: Final = {_TEXT: "", "Header": "［ヘッダー・フッター］\r\n", "Footnote": "［脚注］\r\n"}
_LINES: Final = re.compile("[\n\x0c\r\x0e]")
_UNSEEN: Final = re.compile("[\x00\x1f]")
_UNJUDGED: Final = frozenset({"DocumentViewStyles", "DocumentEditStyles", "DocumentPeripheralThree"})
