"""One XML member of an OpenDocument file while it is rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from lxml import etree

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.odf import comments, named, values, vocabulary
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.office import links, tree
from sanitizers.model import Action

if TYPE_CHECKING:
    from sanitizers.formats.odf.rebuild import Rebuild

HREF: Final = clark("xlink:href")
_PICTURES: Final = frozenset(clarks("draw:image draw:fill-image style:background-image text:list-level-style-image chart:symbol-image"))
_LINKS: Final = frozenset(clarks("text:a draw:a"))
_AREAS: Final = frozenset(clarks("draw:area-rectangle draw:area-circle draw:area-polygon form:button form:image"))
_ACTUATE: Final = clark("xlink:actuate")
_CHART: Final = clark("chart:chart")
_FORM: Final = clark("form:form")
_PILOT: Final = clark("table:data-pilot-table")
_CELL_RANGE: Final = clark("table:source-cell-range")
_PROPERTY_NAME: Final = clark("form:property-name")
_OBJECT: Final = clark("draw:object")
UNWRAPPED: Final = clarks(
    "text:dde-connection text:execute-macro text:database-display text:database-name text:database-next text:database-row-number "
    "text:database-row-select"
)
_SCRIPTS: Final = clark("office:scripts")
_LIBRARIES: Final = frozenset({"script", "libraries", "library-embedded"})
_VALUE_PREFIXES: Final = ["of", "oooc", "ooow", "ooo", "msoxl"]   # used inside values (`of:=…`), so their declarations stay

_CODES: Final = {
    name: code
    for code, spelled in {
        "odf.macro": "script scripts execute-macro error-macro library",
        "odf.event_listener": "event-listeners event-listener",
        "odf.object": "object-ole binary-data",
        "odf.dde": "dde-source dde-connection dde-connection-decl dde-connection-decls dde-link dde-links",
        "odf.external_reference": "floating-frame section-source table-source cell-range-source alphabetical-index-auto-mark-file href",
        "odf.media": "plugin applet sound audio video param command",
        "odf.font": "font-face-src font-face-uri font-face-format font-face-name definition-src",
        "odf.database": "connection-resource database-source-query database-source-sql database-source-table source-service "
        "database-display database-name database-next database-row-number database-row-select datasource model",
    }.items()
    for name in spelled.split()
}

# Names whose local part means something else elsewhere.
_CODES_OF_NAMES: Final = {clark("form:command"): "odf.database"}

Handler = Callable[[xml.Element, "Page"], None]


class Page:
    """`name` of the member, `folder` of the (sub-)document that it belongs to, "" or ending with "/"."""

    def __init__(self, name: str, folder: str, root: xml.Element, rebuild: Rebuild) -> None:
        self.name = name
        self.folder = folder
        self.root = root
        self.rebuild = rebuild
        self.prefixes = frozenset[str]()    # of namespaces, that are used in what was set aside

    @property
    def context(self) -> Context:
        return self.rebuild.context

    def found(self, code: str, place: str = "", action: Action = Action.REMOVED, detail: str = "") -> None:
        self.context.found(code, f"{self.name}#{place}" if place else self.name, action, detail)


def clean(page: Page) -> None:
    """Links, pictures, objects, formulas, then every name that is not in the vocabulary."""
    if not page.context.treatment.comments_kept and comments.drop(page.root):
        page.found("odf.comments")
    for element in list(page.root.iter(*UNWRAPPED)):
        page.found(code_of(element.tag), local(element.tag), detail=(element.text or ""))
        tree.unwrap(element)
    names = named.remove(page.root, page.context.treatment.link_schemes)
    for name, (code, definition) in names.items():
        page.found(code, f"expression {name}", detail=definition)
    attributes = _attributes(page, frozenset(names))
    _strip_elements(page)
    _drop_empty_pilots(page)
    foreign = {name for name in attributes if not vocabulary.is_attribute(name)}
    for name in sorted(foreign):
        if not vocabulary.is_quiet(name) and any(element.get(name) for element in page.root.iter()):
            page.found(code_of(name), f"@{local(name)}")
    if foreign:
        etree.strip_attributes(page.root, *foreign)
    etree.cleanup_namespaces(page.root, keep_ns_prefixes=[*_VALUE_PREFIXES, *page.prefixes])


def _attributes(page: Page, forbidden: frozenset[str]) -> set[str]:
    """Judge what attributes say; returns the names of all that are there."""
    seen = set[str]().union(*(element.keys() for element in page.root.iter()))
    if HREF in seen:
        for element in vocabulary.bearing(HREF)(page.root):
            if tree.attached(element, page.root):
                _link(element, page)
    schemes = page.context.treatment.link_schemes
    for name in sorted(values.WATCHED & seen):
        for element in vocabulary.bearing(name)(page.root):
            _judge(element, name, values.danger(name, element.get(name), schemes, forbidden), page)
    for name in sorted(filter(vocabulary.is_extension, seen - values.WATCHED)):
        for element in vocabulary.bearing(name, values.SIGNS)(page.root):
            _judge(element, name, "odf.external_reference" if values.leads_out(element.get(name)) else None, page)
    if _PROPERTY_NAME in seen:
        for element in vocabulary.bearing(_PROPERTY_NAME)(page.root):
            if any(map(values.leads_out, _property_values(element))):
                page.found("odf.external_reference", "property", detail=element.get(_PROPERTY_NAME))
                tree.remove(element)
    return seen


def _judge(element: xml.Element, name: str, why: str | None, page: Page) -> None:
    if why is not None:
        page.found(why, local(name), detail=element.get(name))
        del element.attrib[name]


def _property_values(element: xml.Element) -> Iterator[str]:
    for part in element.iter():
        yield from part.attrib.values()


def _link(element: xml.Element, page: Page) -> None:
    """What an element may point to depends on what it does with it."""
    target = element.get(HREF)
    if element.tag in _PICTURES:
        page.rebuild.picture(element, page)
    elif element.tag == _OBJECT:
        page.rebuild.embedded_object(element, page)
    elif element.tag in _LINKS or element.tag in _AREAS:
        _hyperlink(element, target, page)
    elif element.tag in vocabulary.ELEMENTS and not (element.tag == _CHART and target in ("..", ".", "")):
        page.found("odf.form_submission" if element.tag == _FORM else "odf.external_reference", local(element.tag), detail=target)
        del element.attrib[HREF]


def _hyperlink(element: xml.Element, target: str, page: Page) -> None:
    if links.allowed(target, page.context.treatment.link_schemes):
        if element.get(_ACTUATE) == "onLoad":
            page.found("odf.self_opening", local(element.tag), Action.REWRITTEN, target)
            element.set(_ACTUATE, "onRequest")
        return
    page.found("odf.hyperlink", local(element.tag), detail=target)
    if element.tag in _LINKS:
        tree.unwrap(element)
    else:
        del element.attrib[HREF]


def _drop_empty_pilots(page: Page) -> None:
    """A pivot table whose source was outside has none any more; what it last showed stands in the cells."""
    for element in list(page.root.iter(_PILOT)):
        if element.find(_CELL_RANGE) is None:
            tree.remove(element)


def _strip_elements(page: Page) -> None:
    for scripts in list(page.root.iter(_SCRIPTS)):
        if _is_empty(scripts):
            tree.remove(scripts)
    unknown = {element.tag for element in page.root.iter()} - vocabulary.ELEMENTS
    for name in sorted(unknown):
        if not vocabulary.is_quiet(name):
            page.found(code_of(name), local(name))
    if unknown:
        etree.strip_elements(page.root, *unknown, with_tail=False)


def _is_empty(scripts: xml.Element) -> bool:
    """LibreOffice writes a place for scripts into every document, and a list of empty libraries into every flat one."""
    return all(local(part.tag) in _LIBRARIES and not (part.text or "").strip() and not part.get(HREF) for part in scripts.iterdescendants())


def local(name: str) -> str:
    return name.rpartition("}")[2]


def code_of(name: str) -> str:
    """The finding for an element or attribute that is left behind."""
    if name.startswith("{urn:oasis:names:tc:opendocument:xmlns:script"):
        return "odf.macro"
    if name.startswith("{http://www.w3.org/1999/xhtml}"):
        return "odf.rdf"
    return _CODES_OF_NAMES.get(name) or _CODES.get(local(name), "odf.unknown_markup")
