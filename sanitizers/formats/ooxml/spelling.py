"""The names in an XML document, read off its bytes: a tenth of the cost of visiting every element of a large sheet.

Sound because nothing is missed: in well-formed XML without a DTD each name stands spelled out, an element's after "<", an attribute's
after white space and before "="; prefixes that are bound twice count in both meanings. What is found too much (in text, comments, CDATA)
only makes the caller look at the tree itself.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers import xml

_ELEMENT: Final = re.compile(rb"<([^\s/>!?]+)")
_ATTRIBUTE: Final = re.compile(rb"""\s([^\s=<>"'/]+)\s*=\s*["']""")
_USUAL_ATTRIBUTE: Final = re.compile(rb""" ([^\s=<>"'/]+)=\"""")      # begins with a literal, so it is found twice as fast
_UNUSUAL: Final = (b"\t", b"\n", b"\r", b" =", b"= ", b"='")
_TAG: Final = re.compile(rb"<[^/<>][^<>]*>")
_SPACE: Final = re.compile(rb"""xmlns(?::([^\s=]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROOT: Final = re.compile(rb"<[^?!<>][^<>]*>")
_DEFAULT: Final = re.compile(rb"""\sxmlns\s*=\s*["']""")
_OTHER_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
_SAMPLE: Final = 1 << 16
_SLICE: Final = 1 << 20
_BEGINS: Final = re.compile(rb"[\t\n\r ]*<[A-Za-z_?!]")
_XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace"


class Names(NamedTuple):
    """Elements and attributes in Clark notation, and the URIs of all declared namespaces."""

    elements: frozenset[str]
    attributes: frozenset[str]
    spaces: frozenset[str]


def is_plain(data: bytes) -> bool:
    """UTF-8 by its first bytes and by its declaration; libxml2 knows UTF-16, EBCDIC and others by their first bytes."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    if not _BEGINS.match(data, start):
        return False
    end = data.find(b"?>") if data.startswith(b"<?xml", start) else 0
    return b"\0" not in data[:4] and not _OTHER_ENCODING.search(data, start, max(end, 0))


def names(data: bytes) -> Names | None:
    """Every name that the document could hold; None where its bytes are not plainly UTF-8."""
    if not is_plain(data):
        return None
    spaces = _spaces(data)
    tags, start = _tags(data, max(data.find(b"<", max(data.find(b"?>", 0, 200), 0)), 0))
    elements, attributes = set(_ELEMENT.findall(tags, start)), _attributes(tags, start)
    plain = {a for a in attributes if a != b"xmlns" and not a.startswith(b"xmlns:")}
    return Names(
        frozenset(name for spelled in elements for name in _clark(spelled, spaces)),
        frozenset(name for spelled in plain for name in _clark(spelled, {**spaces, b"": {""}})),
        frozenset(uri for uris in spaces.values() for uri in uris) - {"", _XML_SPACE},
    )


def _attributes(tags: bytes, start: int) -> set[bytes]:
    """Where no white space but blanks, none around an equals sign and no apostrophe after one, all attributes are spelled alike."""
    usual = all(tags.find(sign, start) < 0 for sign in _UNUSUAL)
    return set((_USUAL_ATTRIBUTE if usual else _ATTRIBUTE).findall(tags, start))


def tree_names(root: xml.Element) -> Names:
    """The names in the tree itself. What namespaces are declared in it is not known."""
    elements: set[str] = set()
    attributes: set[str] = set()
    for element in root.iter():
        elements.add(element.tag)
        attributes.update(element.attrib)
    return Names(frozenset(elements), frozenset(attributes), frozenset({"unknown"}))


def _tags(data: bytes, start: int) -> tuple[bytes, int]:
    """One copy of each distinct tag with the text behind it, if tags repeat much; else all of the data. Each "<" begins a tag."""
    sample = _TAG.findall(data, start, start + _SAMPLE)
    if len(set(sample)) * 4 > len(sample):
        return data, start
    pieces = set[bytes]()
    while start >= 0:
        end = data.find(b"<", start + _SLICE)      # a slice at a time: a list of all pieces weighs more than the data
        pieces.update(data[start + 1 : end if end >= 0 else len(data)].split(b"<"))
        start = end
    return b"<" + b"<".join(pieces), 0


def _spaces(data: bytes) -> dict[bytes, set[str]]:
    """Prefix → the URIs that it is bound to, anywhere."""
    root = _ROOT.search(data) if b"<!" not in data else None
    bare = set[str]() if root is not None and _DEFAULT.search(root[0]) else {""}   # no name is outside of the root's own namespace
    spaces: dict[bytes, set[str]] = {b"": bare, b"xml": {_XML_SPACE}}
    at = data.find(b"xmlns")
    while at >= 0:
        if declared := _SPACE.match(data, at):
            spaces.setdefault(declared[1] or b"", set()).add((declared[2] or declared[3] or b"").decode("utf-8", "replace"))
        at = data.find(b"xmlns", at + 5)
    return spaces


def _clark(spelled: bytes, spaces: dict[bytes, set[str]]) -> list[str]:
    prefix, colon, name = spelled.partition(b":")
    if not colon:
        prefix, name = b"", spelled
    text = name.decode("utf-8", "replace")
    return [f"{{{space}}}{text}" if space else text for space in spaces.get(prefix, {"?"})]
