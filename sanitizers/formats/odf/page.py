"""One XML member of an OpenDocument file while it is rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lxml import etree

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.odf import formulas, vocabulary
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.ooxml import links, tree
from sanitizers.model import Action

if TYPE_CHECKING:
    from sanitizers.formats.odf.rebuild import Rebuild

HREF: Final = clark("xlink:href")
_PICTURES: Final = frozenset(clarks("draw:image draw:fill-image style:background-image text:list-level-style-image chart:symbol-image"))
_LINKS: Final = frozenset(clarks("text:a draw:a"))
_OBJECT: Final = clark("draw:object")
_BUTTONS: Final = frozenset(clarks("form:button form:image"))
_UNWRAPPED: Final = clarks(
    "text:dde-connection text:execute-macro text:database-display text:database-name text:database-next text:database-row-number "
    "text:database-row-select"
)
_FORMULAS: Final = clarks("table:formula text:formula table:expression table:condition calcext:value text:condition style:condition")
_FIELD_MARKS: Final = clarks("field:fieldmark field:fieldmark-start")
_FIELD_TYPE: Final = clark("field:type")
_FORM_FIELDS: Final = tuple(f"vnd.oasis.opendocument.field.{name}" for name in ("FORM", "DATE", "TOC", "PAGEREF", "HYPERLINK", "UNHANDLED"))
_VALUE_PREFIXES: Final = ["of", "oooc", "ooow", "ooo", "msoxl"]   # used inside values (`of:=…`), so their declarations stay
_IMPLEMENTATION: Final = clark("form:control-implementation")
_SERVICE: Final = "ooo:com.sun.star.form.component."

_CODES: Final = {
    name: code
    for code, spelled in {
        "odf.macro": "script scripts execute-macro error-macro library",
        "odf.event_listener": "event-listeners event-listener",
        "odf.object": "object-ole binary-data",
        "odf.dde": "dde-source dde-connection dde-connection-decl dde-connection-decls dde-link dde-links",
        "odf.external_reference": "floating-frame section-source table-source cell-range-source alphabetical-index-auto-mark-file href",
        "odf.media": "plugin applet sound audio video param command",
        "odf.database": "connection-resource database-source-query database-source-sql database-source-table source-service "
        "database-display "
        "database-name database-next database-row-number database-row-select datasource model",
    }.items()
    for name in spelled.split()
}

Handler = Callable[[xml.Element, "Page"], None]


class Page:
    """`name` of the member, `folder` of the (sub-)document that it belongs to, "" or ending with "/"."""

    def __init__(self, name: str, folder: str, root: xml.Element, rebuild: Rebuild) -> None:
        self.name = name
        self.folder = folder
        self.root = root
        self.rebuild = rebuild

    @property
    def context(self) -> Context:
        return self.rebuild.context

    def found(self, code: str, place: str = "", action: Action = Action.REMOVED, detail: str = "") -> None:
        self.context.found(code, f"{self.name}#{place}" if place else self.name, action, detail)


def clean(page: Page) -> None:
    """Links, pictures, objects, formulas, then every name that is not in the vocabulary."""
    for element in list(page.root.iter(*_UNWRAPPED)):
        page.found(code_of(element.tag), local(element.tag), detail=(element.text or ""))
        tree.unwrap(element)
    attributes = _formulas_and_links(page)
    _strip_elements(page)
    foreign = {name for name in attributes if not vocabulary.is_attribute(name)}
    for name in sorted(foreign):
        if not vocabulary.is_quiet(name) and any(element.get(name) for element in page.root.iter()):
            page.found(code_of(name), f"@{local(name)}")
    if foreign:
        etree.strip_attributes(page.root, *foreign)
    etree.cleanup_namespaces(page.root, keep_ns_prefixes=_VALUE_PREFIXES)


def _formulas_and_links(page: Page) -> set[str]:
    """The names of all attributes that are there."""
    attributes: set[str] = set()
    for element in list(page.root.iter()):
        names = element.keys()
        if not names:
            continue
        attributes.update(names)
        if HREF in names and tree.attached(element, page.root):
            _link(element, page)
        for name in _FORMULAS:
            if name in names and (why := formulas.danger(element.get(name), page.context.treatment.link_schemes)):
                page.found(why[0], local(name), detail=why[1])
                del element.attrib[name]
        if _IMPLEMENTATION in names and not element.get(_IMPLEMENTATION).startswith(_SERVICE):
            page.found("odf.macro", "control-implementation", detail=element.get(_IMPLEMENTATION))
            del element.attrib[_IMPLEMENTATION]
        if _FIELD_TYPE in names and not element.get(_FIELD_TYPE).startswith(_FORM_FIELDS):
            page.found("odf.external_reference", "fieldmark", detail=element.get(_FIELD_TYPE))
            del element.attrib[_FIELD_TYPE]
    return attributes


def _link(element: xml.Element, page: Page) -> None:
    """What an element may point to depends on what it does with it."""
    target = element.get(HREF)
    if element.tag in _PICTURES:
        page.rebuild.picture(element, page)
    elif element.tag == _OBJECT:
        page.rebuild.embedded_object(element, page)
    elif element.tag in _LINKS or element.tag in _BUTTONS:
        if links.allowed(target, page.context.treatment.link_schemes):
            return
        page.found("odf.hyperlink", local(element.tag), detail=target)
        if element.tag in _LINKS:
            tree.unwrap(element)
        else:
            del element.attrib[HREF]
    elif element.tag in vocabulary.ELEMENTS:
        page.found("odf.external_reference", local(element.tag), detail=target)
        del element.attrib[HREF]


def _strip_elements(page: Page) -> None:
    unknown = {element.tag for element in page.root.iter()} - vocabulary.ELEMENTS
    for name in sorted(unknown):
        if not vocabulary.is_quiet(name) and not _is_empty(page.root, name):
            page.found(code_of(name), local(name))
    if unknown:
        etree.strip_elements(page.root, *unknown, with_tail=False)


def _is_empty(root: xml.Element, name: str) -> bool:
    """Every document of LibreOffice has an empty element for scripts."""
    return name == clark("office:scripts") and not any(len(element) or element.text for element in root.iter(name))


def local(name: str) -> str:
    return name.rpartition("}")[2]


def code_of(name: str) -> str:
    if name.startswith("{urn:oasis:names:tc:opendocument:xmlns:script"):
        return "odf.macro"
    return _CODES.get(local(name), "odf.unknown_markup")
