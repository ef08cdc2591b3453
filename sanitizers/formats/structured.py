"""XML and JSON files.

Removes: document type declarations are refused; style sheet and other processing instructions and comments stay behind.
Keeps:   elements, attributes, text, namespaces; JSON values, their order and their numbers as written.
Refuses: what is not well-formed, a DTD, duplicate JSON keys, deep nesting.
Spec:    XML 1.0 fifth edition, RFC 8259.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sanitizers import xml
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import text as plain
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind, Malformed
from sanitizers.source import Source

_INSTRUCTION: Final = re.compile(rb"<\?(?!xml[\s?])([^\s?>]{1,64})")
_DEEPEST: Final = 256
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def sanitize_xml(source: Source, context: Context) -> Rebuilt:
    data = source.bytes()
    root = xml.parse(data, context.budget)
    output = xml.serialize(root)
    ascii_view = data if data[:2] not in (b"\xff\xfe", b"\xfe\xff") else data.decode("utf-16", "replace").encode()
    for match in _INSTRUCTION.finditer(ascii_view):
        stylesheet = match[1] == b"xml-stylesheet"
        context.found("markup.stylesheet" if stylesheet else "markup.processing_instruction", match[1].decode("ascii", "replace"))
    if b"<!--" in ascii_view and b"<!--" not in output:
        context.found("markup.comment")
    return Rebuilt(Source(output), Kind.XML)


def sanitize_json(source: Source, context: Context) -> Rebuilt:
    """Parsed to prove that it is JSON and nothing else; the tokens go out as they were written, so that no number changes."""
    text, encoding, bom = plain.read(source, context)
    text = plain.clean(text, context)
    _refuse_depth(text)
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"JSON: {str(error)[:200]}") from None
    return Rebuilt(Source(plain.write(text, encoding, bom, context)), Kind.JSON)


def _refuse_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise Malformed(f"nested deeper than {_DEEPEST}")
        elif sign in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Malformed("the same key twice in one object", code="json.duplicate_key")


def _refuse_constant(name: str) -> None:
    raise Malformed(f"{name} is not JSON")


XML: Final = Sanitizer(
    family="xml",
    kinds=frozenset({Kind.XML}),
    sanitize=sanitize_xml,
    removes="processing instructions, style sheet references, comments",
    keeps="elements, attributes, text, namespaces",
    refuses="any DTD, what is not well-formed",
    spec="XML 1.0",
)
JSON: Final = Sanitizer(
    family="json",
    kinds=frozenset({Kind.JSON}),
    sanitize=sanitize_json,
    removes="control and invisible characters",
    keeps="values and numbers as written, their order",
    refuses="duplicate keys, deep nesting, what is not JSON",
    spec="RFC 8259",
)
