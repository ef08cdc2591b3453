"""The second opinion on rebuilt drawings: expat instead of libxml2, with lists of its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import Counter
from typing import Final
from xml.parsers import expat

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source

_SVG: Final = "http://www.w3.org/2000/svg"
_LINK: Final = "http://www.w3.org/1999/xlink href"
_PREFIXED: Final = frozenset({_LINK, "http://www.w3.org/XML/1998/namespace space", "http://www.w3.org/XML/1998/namespace lang"})
_ELEMENTS: Final = re.compile(
    r"svg|g|defs|symbol|use|title|desc|switch|a|view|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|textPath|image|style"
    r"|linearGradient|radialGradient|stop|pattern|clipPath|mask|marker|filter|fe[A-Z][A-Za-z]{3,16}"
)
_ATTRIBUTE: Final = re.compile(r"(?!on)[A-Za-z][A-Za-z0-9-]*")
_INSIDE: Final = re.compile(r"#[^\s\"'<>()]+")
_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")
_SHOWN: Final = frozenset({Kind.PNG, Kind.JPEG, Kind.GIF, Kind.WEBP})
_MAGIC: Final = {"png": b"\x89PNG\r\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}
# What a style sheet needs to reach out or to run; in no other attribute can any of it do anything either.
_REACHING: Final = re.compile(r"url\s*\((?!#)|@|\\|expression|image-set|behavior|binding|javascript", re.IGNORECASE)
_FREE_TEXT: Final = frozenset({"aria-label", "id", "class"})


def verify(output: Source, _original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything but listed elements, inert attributes and pictures that the engine delivered."""
    walk = _Walk(context)
    parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.characters
    parser.StartDoctypeDeclHandler = walk.foreign
    parser.ProcessingInstructionHandler = walk.foreign
    parser.CommentHandler = walk.foreign
    parser.EntityDeclHandler = walk.foreign
    try:
        parser.Parse(output.bytes(), True)
    except expat.ExpatError as error:
        raise VerificationFailed(f"expat: {error}") from None
    walk.finish()


class _Walk:
    def __init__(self, context: Context) -> None:
        self._schemes = context.treatment.link_schemes
        outputs = [part.output for part in context.parts if part.verdict.delivers and part.output is not None]
        self._delivered = Counter(output.sha256 for output in outputs if output.kind in _SHOWN)
        self._open: list[str] = []
        self._style: list[str] = []

    def foreign(self, *_: object) -> None:
        raise VerificationFailed("document type, instruction or comment")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if space != _SVG or not _ELEMENTS.fullmatch(local):
            raise VerificationFailed(f"element {name[:80]!r}")
        if not self._open and local != "svg":
            raise VerificationFailed("not a drawing")
        if self._open and self._open[-1] in ("style", "title", "desc"):
            raise VerificationFailed(f"element inside {self._open[-1]}")
        self._open.append(local)
        for key, value in attributes.items():
            self._attribute(local, key, value)

    def end(self, _: str) -> None:
        if self._open.pop() == "style":
            self._inert("style", "".join(self._style))
            self._style.clear()

    def characters(self, text: str) -> None:
        if self._open[-1] == "style":
            self._style.append(text)

    def finish(self) -> None:
        if +self._delivered:
            raise VerificationFailed("a picture inside is missing")

    def _attribute(self, element: str, key: str, value: str) -> None:
        if key in ("href", _LINK):
            self._reference(element, value)
        elif key not in _PREFIXED and not _ATTRIBUTE.fullmatch(key):
            raise VerificationFailed(f"attribute {key[:80]!r}")
        elif key not in _FREE_TEXT:
            self._inert(key, value)

    def _inert(self, key: str, value: str) -> None:
        if _REACHING.search(value):
            raise VerificationFailed(f"{key} reaches out of the drawing")

    def _reference(self, element: str, value: str) -> None:
        if _INSIDE.fullmatch(value):
            return
        picture = _PICTURE.fullmatch(value)
        if picture and element in ("image", "feImage"):
            self._picture(picture[1], picture[2])
        elif element != "a" or value.partition(":")[0].lower() not in self._schemes:
            raise VerificationFailed(f"reference of {element} to {value[:80]!r}")

    def _picture(self, kind: str, text: str) -> None:
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise VerificationFailed("base64 of a picture") from None
        digest = hashlib.sha256(data).hexdigest()
        if not data.startswith(_MAGIC[kind]) or not self._delivered[digest]:
            raise VerificationFailed("a picture that no sanitizer made")
        self._delivered[digest] -= 1
