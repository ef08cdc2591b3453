"""Content streams with their resources: of pages, forms, patterns and glyphs (ISO 32000-2 §7.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sanitizers.formats.pdf import content, images
from sanitizers.formats.pdf.content import Content
from sanitizers.formats.pdf.shapes import LEFT, OMIT
from sanitizers.formats.pdf.values import Dictionary, Ref, Stream, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier


class within:  # noqa: N801 - used as a function is
    """While content with these resources is being copied."""

    __slots__ = ("_copier", "_outer", "_resources")

    def __init__(self, copier: Copier, resources: Dictionary) -> None:
        self._copier = copier
        self._resources = resources

    def __enter__(self) -> None:
        self._copier.descend("content in content")
        self._outer, self._copier.around = self._copier.around, self._resources

    def __exit__(self, *_: object) -> None:
        self._copier.around = self._outer
        self._copier.ascend()


def stream(copier: Copier, source: Stream, where: str) -> Content:
    """One content stream rebuilt; empty when it cannot be decoded."""
    data = copier.content_of(source, where)
    return rebuild(copier, data, where) if data else Content()


def rebuild(copier: Copier, data: bytes, where: str) -> Content:
    """Content rebuilt, what was left out reported."""
    built = _read(copier, data)
    _report(copier, built, where)
    return built


def _read(copier: Copier, data: bytes) -> Content:
    return content.rebuild(data, lambda fields, samples: images.inline_image(copier, fields, samples))


def _report(copier: Copier, built: Content, where: str) -> None:
    """Once for each stream, on the page where it is met first."""
    if built.left:
        copier.drop("pdf.invalid_operator", where, ", ".join(sorted(built.left))[:200])
        built.left.clear()


def resources(copier: Copier, source: Dictionary, names: frozenset[str], where: str) -> Dictionary:
    """The resources that the content names, and no others."""
    new: Dictionary = {}
    with within(copier, source):
        for category, rule in copier.categories.items():
            if category not in source:
                continue
            entries = copier.reader.dictionary(source[category])
            kept = {}
            for name, entry in entries.items():
                if name not in names or copier.resolve(entry) is None:
                    continue
                place = f"{where}/{category}/{name}"
                copied = rule(copier, entry, place)
                if copied is OMIT:
                    copier.drop("pdf.invalid_value", place)
                elif copied is not LEFT:
                    kept[name] = copied
            if kept:
                new[category] = kept
    return new


def page(copier: Copier, value: Value, where: str) -> tuple[list[Ref], frozenset[str]]:
    """The content streams of a page anew and the names in them. Streams that end inside an instruction are joined."""
    parts = list(_parts(copier, value))
    built = [_part(copier, part, where) for part in parts]
    if all(one.complete for one, _ in built[:-1]):
        for one, _ in built:
            _report(copier, one, where)
        refs = [ref for one, ref in built if one.data]
        return refs, frozenset().union(*(one.names for one, _ in built))
    whole = b"\n".join(copier.content_of(part, where) or b"" for part in parts)
    joined = rebuild(copier, whole, where)
    return [copier.writer.add_deflated({}, joined.data)], joined.names


def _parts(copier: Copier, value: Value) -> Iterator[Stream]:
    found = copier.resolve(value)
    for item in found if isinstance(found, list) else [value]:
        part = copier.resolve(item)
        if isinstance(part, Stream):
            yield part


def _part(copier: Copier, part: Stream, where: str) -> tuple[Content, Ref]:
    """One stream of a page; a letterhead that many pages share is read once."""
    known = copier.contents.get(part.ref)
    if known is None:
        data = copier.content_of(part, where)
        built = _read(copier, data) if data else Content()
        known = copier.contents[part.ref] = built, copier.writer.add_deflated({}, built.data)
    return known
