"""One XML part while it is rebuilt: parsed, its alternatives resolved, what may not stay cut out, its references checked."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lxml import etree

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.office import links, tree
from sanitizers.formats.ooxml import spelling, vocabulary
from sanitizers.formats.ooxml.dangers import code_of
from sanitizers.formats.ooxml.relationships import Relationship
from sanitizers.formats.ooxml.vocabulary import clark
from sanitizers.model import Action, Malformed

if TYPE_CHECKING:
    from sanitizers.formats.ooxml.rebuild import Rebuild

Handler = Callable[[xml.Element, "Page"], None]

_ALTERNATIVE: Final = clark("mc:AlternateContent")
_CHOICE: Final = clark("mc:Choice")
_FALLBACK: Final = clark("mc:Fallback")
ALTERNATIVES: Final = _ALTERNATIVE | _CHOICE | _FALLBACK
_IGNORABLE: Final = next(iter(clark("mc:Ignorable")))
# A choice that needs VML holds an OLE object whose picture only the fallback has. The chart style of 2007 (c14) has numbers that readers
# without alternatives take for wrong ones of the older style, and the fallback means the same. A symbol of 2015 (symex) has its character,
# which every reader shows, only in the fallback.
_UNCHOSEN: Final = frozenset((
    *vocabulary.SPACES["v"],
    "http://schemas.microsoft.com/office/drawing/2007/8/2/chart",
    "http://schemas.microsoft.com/office/word/2015/wordml/symex",
))
# Readers know a form control of 2010 by the alternative around it; without one they take it for an ActiveX control.
_NO_NAMES: Final = spelling.Names(frozenset(), frozenset(), frozenset())
_WRAPPED: Final = clark("x:controls x:control")
_REQUIRES: Final = "Requires"
_REFERENCES: Final = vocabulary.SPACES["r"]
# Containers that must not be empty, or need not be there.
_CONTAINERS: Final = clark(
    "a:ext p:ext x:ext c:ext cx:ext dgm:ext wps:ext w15:ext x14:ext p15:ext a:extLst p:extLst x:extLst c:extLst cx:extLst dgm:extLst "
    "wps:extLst w15:extLst x14:extLst p15:extLst x:hyperlinks x:controls x:tableParts x:pivotCaches x:definedNames x14:slicerList "
    "mc:Choice mc:AlternateContent p:childTnLst p:subTnLst x14:slicerCaches x15:timelineCacheRefs x15:timelineRefs"
)


@dataclass(slots=True)
class Formulas:
    """What was found of the formulas of a worksheet so far: (code, detail) by formula, and the shared ones that do not stay."""

    judged: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class Page:
    """`part` is its name in the input, `name` in the output; `relations` by id, as read; `kept` the ids that stay, with their targets.

    `data` is what `root` was parsed from, and `names` what the part may hold when it comes.
    """

    def __init__(  # noqa: PLR0917 - a part and where it stands
        self, name: str, part: str, root: xml.Element, relations: list[Relationship], rebuild: Rebuild, data: bytes = b""
    ) -> None:
        self.name = name
        self.part = part
        self.root = root
        self.names = spelling.names(data) or spelling.tree_names(root) if data else _NO_NAMES
        self.relations = {one.id: one for one in relations}
        self.rebuild = rebuild
        self.kept: dict[str, str] = {}
        self.formulas = Formulas()
        self.prefixes = frozenset[str]()    # of namespaces, that are used elsewhere: in rows that are rebuilt apart

    @property
    def context(self) -> Context:
        return self.rebuild.context

    def found(self, code: str, place: str = "", action: Action = Action.REMOVED, detail: str = "") -> None:
        self.context.found(code, f"{self.name}#{place}" if place else self.name, action, detail)

    def elements(self, wanted: AbstractSet[str]) -> list[xml.Element]:
        """All of these names, in the order of the document."""
        there = self.names.elements & wanted
        return list(self.root.iter(*there)) if there else []

    def relation(self, element: xml.Element, name: str = "id") -> Relationship | None:
        """The relationship that an element names in `r:name`."""
        for space in _REFERENCES:
            if (value := element.get(f"{{{space}}}{name}")) is not None:
                return self.relations.get(value)
        return None

    def keeps(self, relation: Relationship | None) -> bool:
        """The relationship may stay; if it may, its target is taken into the new package."""
        if relation is None:
            return False
        if relation.id not in self.kept and (target := self.rebuild.take(self, relation)) is not None:
            self.kept[relation.id] = target
        return relation.id in self.kept

    def add(self, like: Relationship, target: str) -> str:
        """A new relationship of another one's type to a part of the new package; its id."""
        number = len(self.relations)
        while (identity := f"rIdNew{number}") in self.relations:
            number += 1
        self.relations[identity] = like._replace(id=identity, external=False, target=target)
        self.kept[identity] = target
        return identity

    def allows_link(self, relation: Relationship) -> bool:
        return links.allowed(relation.target, self.context.treatment.link_schemes)


def references(element: xml.Element) -> list[tuple[str, str]]:
    """(attribute name, relationship id) of every reference on an element, `o:relid` of VML included."""
    spaces = tuple(f"{{{space}}}" for space in _REFERENCES)
    return [(name, value) for name, value in element.attrib.items() if name.startswith(spaces) or name.endswith("office}relid")]


def resolve_alternatives(page: Page) -> None:
    """Every mc:AlternateContent becomes the first choice that we copy whole namespaces of, else its fallback, else nothing.

    Around form controls it stays, with that one choice. No root is one: a root is looked at before.
    """
    for element in page.elements(_ALTERNATIVE):
        if not tree.attached(element, page.root):
            continue
        chosen = _chosen(element)
        if chosen is None:
            tree.remove(element)
        elif chosen.tag in _CHOICE and len(chosen) and all(child.tag in _WRAPPED for child in chosen):
            _keep_only(element, chosen)
        else:
            tree.replace(element, list(chosen))


def _keep_only(alternative: xml.Element, chosen: xml.Element) -> None:
    for other in [other for other in alternative if other is not chosen]:
        tree.remove(other)
    alternative.attrib.clear()
    for name in chosen.attrib:
        if name != _REQUIRES:
            del chosen.attrib[name]


def _chosen(element: xml.Element) -> xml.Element | None:
    for choice in element.iterchildren(*_CHOICE):
        needed = (choice.get("Requires") or "").split()
        if needed and vocabulary.prefixes_known(needed, choice.nsmap, _UNCHOSEN):
            return choice
    return next(element.iterchildren(*_FALLBACK), None)


def act(page: Page, handlers: dict[str, Handler]) -> None:
    """Each element that has a handler meets it, in the order of the document."""
    for element in page.elements(handlers.keys()):
        if tree.attached(element, page.root):
            handlers[element.tag](element, page)


def strip_unknown(page: Page) -> None:
    """Only names of the vocabulary stay."""
    found = page.names
    if not found.elements <= vocabulary.ELEMENTS or any(map(_is_foreign, found.attributes)):
        found = spelling.tree_names(page.root)._replace(spaces=found.spaces)   # no more guessing from the bytes
    _strip_elements(page, found.elements - vocabulary.ELEMENTS)
    _strip_attributes(page, found.attributes - vocabulary.ATTRIBUTES)
    if not found.spaces <= vocabulary.KNOWN_SPACES:
        _tidy_spaces(page)


def _is_foreign(name: str) -> bool:
    return name not in vocabulary.ATTRIBUTES and not vocabulary.is_quiet(name)


def _strip_elements(page: Page, unknown: frozenset[str]) -> None:
    if not unknown:
        return
    if page.root.tag in unknown:
        raise Malformed(f"root element {page.root.tag}", where=page.name, code="ooxml.package")
    for name in sorted(unknown):
        if not vocabulary.is_quiet(name):
            page.found(code_of(name), etree.QName(name).localname)
    parents = [element.getparent() for element in page.root.iter(*unknown)]
    etree.strip_elements(page.root, *unknown, with_tail=False)
    for parent in parents:
        prune(parent)


def _strip_attributes(page: Page, foreign: frozenset[str]) -> None:
    if not foreign:
        return
    if worth_a_word := set(filter(_is_foreign, foreign)):
        left = spelling.tree_names(page.root).attributes   # others are gone with their elements
        for name in sorted(worth_a_word & left):
            page.found(code_of(name), f"@{etree.QName(name).localname}")
    etree.strip_attributes(page.root, *foreign)


def prune(parent: xml.Element | None) -> None:
    """Containers that lost their last child go too, and those around them."""
    while parent is not None and parent.tag in _CONTAINERS and not len(parent):
        above = parent.getparent()
        if above is None:
            return
        tree.remove(parent)
        parent = above


def _tidy_spaces(page: Page) -> None:
    """Declarations of namespaces that are not copied go, and with them what mc:Ignorable says of them."""
    root = page.root
    spelled = root.attrib.get(_IGNORABLE, "")
    etree.strip_attributes(root, _IGNORABLE)
    prefixes = [prefix for prefix in dict.fromkeys(spelled.split()) if root.nsmap.get(prefix) in vocabulary.KNOWN_SPACES]
    if prefixes:
        root.set(_IGNORABLE, " ".join(prefixes))
    required = [prefix for choice in root.iter(*_CHOICE) for prefix in (choice.get(_REQUIRES) or "").split()]
    elsewhere = [prefix for prefix in page.prefixes if root.nsmap.get(prefix) in vocabulary.KNOWN_SPACES]
    etree.cleanup_namespaces(root, keep_ns_prefixes=[*prefixes, *required, *elsewhere])
