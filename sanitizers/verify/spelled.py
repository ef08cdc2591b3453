"""XML that was written anew, as its bytes show it: proved plain by expat, and every name in it.

After the proof each "<" begins a tag. A large document repeats few shapes of tags (a name and the names of its attributes), so the names
are collected by looking for the next tag of a shape that has not been seen; none can be missed, for what is of no shape that was seen is
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from xml.parsers import expat

from sanitizers.model import VerificationFailed

_TAG: Final = re.compile(rb"""<([^\s/>!?]+)((?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""")
_ATTRIBUTE: Final = re.compile(rb"""\s([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_SPACE: Final = re.compile(rb'xmlns(?::([^\s=]+))?="([^"]*)"')
_ANY: Final = re.compile(rb"<(?![/!?])")
_BLOCK: Final = 1 << 18
_STRETCH: Final = 1 << 16
_MOST_SHAPES: Final = 400
_MOST_PATTERNS: Final = 40


class Names(NamedTuple):
    """As they are spelled, with their prefixes."""

    elements: frozenset[bytes]
    attributes: frozenset[bytes]

    def has_attribute(self, *names: bytes) -> bool:
        """One of these names, under any prefix."""
        return any(spelled.rpartition(b":")[2] in names for spelled in self.attributes)

    def has_element(self, *names: bytes) -> bool:
        """One of these names, under any prefix."""
        return any(spelled.rpartition(b":")[2] in names for spelled in self.elements)


def prove_plain(name: str, content: bytes) -> None:
    """Well-formed, in UTF-8, without DTD, comment, instruction and CDATA. Raises VerificationFailed."""

    def refuse(*_: object) -> None:
        raise VerificationFailed(f"doctype, comment, instruction or CDATA in {name}")

    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = refuse
    parser.CommentHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    parser.StartCdataSectionHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise VerificationFailed(f"expat: {error} in {name}") from None


def names(content: bytes) -> Names:
    """All names of elements and attributes of a document that was proved plain."""
    seen: set[tuple[bytes, tuple[bytes, ...]]] = set()
    unseen, patterns, at = _ANY, 0, 0
    while found := unseen.search(content, at):
        at = found.start()
        several = patterns < _MOST_PATTERNS and len(seen) < _MOST_SHAPES
        fresh = {_shape(tag) for tag in _tags(content, at, several)} - seen
        seen |= fresh
        if fresh and several:
            patterns += 1
            unseen = re.compile(rb"<(?![/!?]|(?:%b)/?>)" % b"|".join(_patterns(seen)))
        else:
            at = found.end()    # spelled otherwise than we write, or one too many to learn: each such tag is looked at by itself
    return Names(frozenset(name for name, _ in seen), frozenset(name for _, attributes in seen for name in attributes))


def spaces(content: bytes) -> set[tuple[bytes, bytes]]:
    """Prefix and URI of every declaration of a namespace, and of what looks like one in a text."""
    found: set[tuple[bytes, bytes]] = set()
    at = content.find(b"xmlns")
    while at >= 0:
        if declared := _SPACE.match(content, at):
            found.add((declared[1] or b"", declared[2]))
        at = content.find(b"xmlns", at + 5)
    return found


def in_tags(content: bytes, matches: Iterable[re.Match[bytes]]) -> Iterator[re.Match[bytes]]:
    """Those of some matches, given in order, that begin inside of a tag. Nothing is walked over twice."""
    inside, at = False, 0
    for found in matches:
        opened, closed = content.rfind(b"<", at, found.start()), content.rfind(b">", at, found.start())
        inside = opened > closed or (inside and opened == closed)
        at = found.start()
        if inside:
            yield found


def unlike(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Both without what they have in common at their ends, from the beginning of a tag on."""
    most = min(len(before), len(after))
    blocks = (at for at in range(0, most, _BLOCK) if before[-at - _BLOCK : len(before) - at] != after[-at - _BLOCK : len(after) - at])
    tag = before.find(b"<", len(before) - next(blocks, most))
    if tag < 0:
        return before, after
    return before[:tag], after[: tag - len(before)]


def _tags(content: bytes, at: int, several: bool) -> Iterable[re.Match[bytes]]:
    first = _TAG.match(content, at)
    if first is None:
        raise VerificationFailed(f"a tag that cannot be read: {content[at : at + 80]!r}")
    return (first, *_TAG.finditer(content, first.end(), first.end() + _STRETCH)) if several else (first,)


def _shape(tag: re.Match[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
    return tag[1], tuple(_ATTRIBUTE.findall(tag[2]))


def _patterns(shapes: Iterable[tuple[bytes, tuple[bytes, ...]]]) -> Iterable[bytes]:
    """One for each name: `name(?: first="…" second="…"|…)`."""
    tails: dict[bytes, list[bytes]] = {}
    for name, attributes in shapes:
        tails.setdefault(name, []).append(b"".join(rb' %b="[^"]*+"' % re.escape(attribute) for attribute in attributes))
    return [re.escape(name) + b"(?:" + b"|".join(found) + b")" for name, found in tails.items()]
