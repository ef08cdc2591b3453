"""SVG: a new drawing made of the known elements, attributes and styles of the old one.

Removes: scripts, event handlers, foreign objects, animation, references to other files and sites, style sheets and fonts, metadata,
    document types, unknown elements, attributes and styles.
Keeps: shapes, text, gradients, patterns, clips, masks, markers, filters, symbols, styles, links of allowed schemes, pictures
    inside (rebuilt).
Refuses: broken XML, entities that hold mark-up, drawings that repeat themselves without end.
Spec: SVG 1.1 (second edition), SVG 2, CSS Syntax 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pybase64
from lxml import etree

from sanitizers import vector, xml
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.formats.svg import prolog, style
from sanitizers.formats.svg import vocabulary as known
from sanitizers.formats.svg.vocabulary import SVG, XHTML, XLINK, XML
from sanitizers.model import Action, Kind, LimitExceeded, Malformed
from sanitizers.source import Source

_HREF: Final = "href"
_XLINK_HREF: Final = f"{{{XLINK}}}href"
_XML_KEPT: Final = frozenset({f"{{{XML}}}space", f"{{{XML}}}lang"})
_FRAGMENT: Final = re.compile(r"#[^\s<>\"'`\\()]+")
_LINK: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[^\s\x00-\x20<>\"`\\]*")
_DATA: Final = re.compile(r"\s*data:image/(png|jpe?g|gif|webp);base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
_MEDIA_TYPES: Final = {Kind.PNG: "png", Kind.JPEG: "jpeg", Kind.GIF: "gif", Kind.WEBP: "webp"}
_NAMESPACES: Final = {None: SVG, "xlink": XLINK}
_MAX_PLACES: Final = 100
# Elements that may be open at once: nesting and `use` together.
_MAX_OPEN: Final = 300
# Elements that a viewer draws once all `use` are followed.
_MAX_DRAWN: Final = 1_000_000

Element = Any  # lxml's elements have no public type


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new drawing. Raises Malformed and LimitExceeded."""
    root = xml.parse(prolog.plain(source.bytes(), context), context.budget)
    if root.tag == "svg":
        context.found("svg.namespace", "", Action.REWRITTEN)
        _supply_namespace(root)
    if root.tag != f"{{{SVG}}}svg":
        raise Malformed(f"root element {str(root.tag)[:80]}", code="svg.malformed")
    drawing = _Drawing(context)
    made = drawing.copy(root, None)
    _check_repetition(made)
    if context.treatment.svg_as_pixels:
        context.found("svg.drawn", "", Action.REWRITTEN)
        return Rebuilt(Source(vector.draw(made, context, "svg.malformed")), Kind.PNG)
    return Rebuilt(Source(xml.serialize(made)), Kind.SVG)


def _supply_namespace(root: Element) -> None:
    for element in root.iter():
        if isinstance(element.tag, str) and not element.tag.startswith("{"):
            element.tag = f"{{{SVG}}}{element.tag}"


class _Drawing:
    """Copies one drawing. Everything that is looked up is in `vocabulary`; everything that is left behind is recorded."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pictures = 0
        self._places = 0

    def _found(self, code: str, where: str = "", detail: str = "") -> None:
        """Names in a drawing are the author's to choose: the first hundred places are named, then only the kind of thing."""
        self._places += 1
        self._context.found(code, where[:80] if self._places <= _MAX_PLACES else "", detail=detail)

    def copy(self, element: Element, parent: Element | None) -> Element | None:
        """The element with what is known inside it, appended to `parent`; None if it stays behind."""
        name = self._name(element)
        if name is None:
            return None
        made = etree.Element(f"{{{SVG}}}{name}", nsmap=_NAMESPACES if parent is None else None)
        self._attributes(element, made, name)
        if name in known.NEED_REFERENCE and not (made.get(_HREF) or made.get(_XLINK_HREF)):
            return None
        if name == "style":
            made.text = style.sheet("".join(element.itertext()), self._report)
            if not made.text:
                return None
        elif name in known.TEXT_ONLY:
            made.text = element.text
            for child in element:
                if self.copy(child, etree.Element("left-behind")) is not None:
                    self._found("svg.element", name, detail="element inside of plain text")
        else:
            self._children(element, made, name)
        if parent is not None:
            parent.append(made)
        return made

    def _children(self, element: Element, made: Element, name: str) -> None:
        """Character data counts in texts alone; elsewhere only white space is kept, for people who read the source."""
        made.text = self._characters(element.text, name)
        for child in element:
            copied = self.copy(child, made)
            tail = self._characters(child.tail, name)
            if tail and copied is not None:
                copied.tail = tail
            elif tail:
                _append_text(made, tail)

    def _characters(self, text: str | None, name: str) -> str | None:
        if text is None or name in known.TEXTS or not text.strip():
            return text
        self._found("svg.element", name, detail="text outside of text elements")
        return None

    def _name(self, element: Element) -> str | None:
        """The local name of an element that is known; else it is recorded for what it is."""
        qualified = etree.QName(element)
        space, name = qualified.namespace, qualified.localname
        if space == SVG and name in known.ELEMENTS:
            return str(name)
        code = "svg.metadata"
        if space == XHTML or (space in (SVG, None) and name in known.FOREIGN):
            code = "svg.foreign_object"
            if any(etree.QName(child).localname in known.SCRIPTS for child in element.iter(etree.Element)):
                self._found("svg.script", name)
        elif name in known.SCRIPTS:
            code = "svg.script"
        elif space == SVG:
            code = next(
                (code for code, names in (("svg.animation", known.ANIMATIONS), ("svg.font", known.FONTS)) if name in names),
                "svg.metadata" if name == "metadata" else "svg.element",
            )
        elif space is None:
            code = "svg.element"
        self._found(code, str(name))
        return None

    def _attributes(self, element: Element, made: Element, name: str) -> None:
        for key, given in element.attrib.items():
            if key in (_HREF, _XLINK_HREF):
                if key == _HREF or element.get(_HREF) is None:  # SVG 2: href outranks xlink:href
                    self._reference(key, given, made, name)
            elif key == "style":
                kept = style.declarations(given, self._report)
                if kept:
                    made.set(key, kept)
            elif key in known.PROPERTIES and key not in known.ATTRIBUTES:
                self._property(key, given, made)
            elif key in _XML_KEPT or (key in known.ATTRIBUTES and known.ATTRIBUTES[key].fullmatch(given)):
                made.set(key, given)
            elif key not in known.SILENT:
                self._left_behind(key, given)

    def _property(self, key: str, given: str, made: Element) -> None:
        value = style.value(given) if key != "transform" else known.ATTRIBUTES["gradientTransform"].fullmatch(given) and given
        if value:
            made.set(key, value)
        elif given.strip():
            self._report("svg.external_reference" if "url" in given.lower() else "svg.style", key)

    def _left_behind(self, key: str, given: str) -> None:
        qualified = etree.QName(key)
        name = str(qualified.localname)
        if qualified.namespace is None and name.lower().startswith("on"):
            self._found("svg.event_handler", name)
        elif qualified.namespace == XML:
            self._found("svg.external_reference", f"xml:{name}", given)
        elif qualified.namespace is not None or name.startswith("data-"):
            self._found("svg.metadata", "", name)
        else:
            self._found("svg.attribute", name)

    def _reference(self, key: str, given: str, made: Element, name: str) -> None:
        target = given.strip()
        if name in known.PICTURES and not target.startswith("#"):
            picture = self._picture(target, name)
            if picture is not None:
                made.set(key, picture)
        elif _FRAGMENT.fullmatch(target) and (name in known.REFER_INSIDE or name in ("a", "feImage")):
            made.set(key, target)
        elif name == "a":
            link = _LINK.fullmatch(target)
            if link and link[1].lower() in self._context.treatment.link_schemes:
                made.set(key, target)
            else:
                self._found("svg.active_link", target)
        else:
            self._found("svg.external_reference", f"{name}: {target}")

    def _picture(self, target: str, name: str) -> str | None:
        """A picture inside, rebuilt, as a data URL."""
        found = _DATA.fullmatch(target)
        if found is None:
            code = "svg.image_dropped" if target[:5].lower() == "data:" else "svg.external_reference"
            self._found(code, f"{name}: {target}")
            return None
        self._pictures += 1
        file_name = f"image{self._pictures}.{found[1].lower()}"
        data = _unbase64(found[2])
        self._context.budget.spend_bytes(len(data))
        outcome = self._context.embed(file_name, data, file_name)
        kind = outcome.report.output.kind if outcome.report.output is not None else None
        media_type = _MEDIA_TYPES.get(kind) if kind is not None else None
        if outcome.content is None or media_type is None:
            self._found("svg.image_dropped", file_name)
            return None
        return f"data:image/{media_type};base64,{pybase64.b64encode(outcome.content.view).decode('ascii')}"

    def _report(self, code: str, detail: str) -> None:
        self._found(code, "" if code == "svg.metadata" else detail, detail)


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _unbase64(text: str) -> bytes:
    try:
        return pybase64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise Malformed(f"base64 of a picture: {error}", code="svg.malformed") from None


def _check_repetition(root: Element) -> None:
    """Raises LimitExceeded where following every `use` draws more than a million elements, or never ends."""
    by_id: dict[str, Element] = {}
    for element in root.iter():
        by_id.setdefault(element.get("id", ""), element)
    weights: dict[Element, int] = {}
    open_now: set[Element] = set()

    def weight(element: Element) -> int:
        if element in weights:
            return weights[element]
        if element in open_now or len(open_now) >= _MAX_OPEN:
            raise LimitExceeded("a symbol that uses itself, or too many levels of use")
        open_now.add(element)
        total = 1 + sum(weight(child) for child in element)
        for target in _used(element):
            if target in by_id:
                total += weight(by_id[target])
        open_now.discard(element)
        if total > _MAX_DRAWN:
            raise LimitExceeded(f"more than {_MAX_DRAWN} elements once drawn")
        weights[element] = total
        return total

    weight(root)


def _used(element: Element) -> Iterator[str]:
    if element.tag == f"{{{SVG}}}use":
        yield (element.get(_HREF) or element.get(_XLINK_HREF) or "")[1:]


SANITIZER: Final = Sanitizer(
    family="svg",
    kinds=frozenset({Kind.SVG}),
    sanitize=sanitize,
    removes="scripts, event handlers, foreign objects, animation, outside references, fonts, metadata, document types",
    keeps="shapes, text, paint, clips, masks, filters, styles, links of allowed schemes, pictures inside (rebuilt)",
    refuses="broken XML, entities that hold mark-up, drawings that repeat without end",
    spec="SVG 1.1, SVG 2, CSS Syntax 3",
)
