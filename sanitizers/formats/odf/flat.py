"""A document as one XML file (`office:document`, .fodt): taken apart into the members that a package would have. ODF 1.3 part 3 §3.1."""

from __future__ import annotations

import base64
import copy
import re
from typing import Final

from lxml import etree

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.odf.vocabulary import clark, clarks
from sanitizers.formats.office.excerpt import Excerpt
from sanitizers.model import LimitExceeded, Malformed
from sanitizers.source import Source

_DOCUMENT: Final = clark("office:document")
_MIMETYPE: Final = clark("office:mimetype")
_VERSION: Final = clark("office:version")
_HREF: Final = clark("xlink:href")
_DATA: Final = clark("office:binary-data")
_OBJECT: Final = clark("draw:object")
_MATH: Final = clark("math:math")
_PICTURES: Final = frozenset(clarks("draw:image draw:fill-image style:background-image text:list-level-style-image"))
_DEEPEST: Final = 8
_BLANKS: Final = re.compile(r"\s+")

_FONTS: Final = clark("office:font-face-decls")
_AUTOMATIC: Final = clark("office:automatic-styles")
_SHARED: Final = frozenset({_FONTS, _AUTOMATIC})
# Member → its root and the children of `office:document` that it takes. Fonts and automatic styles belong to content and styles alike.
_MEMBERS: Final = {
    "styles.xml": ("office:document-styles", _SHARED.union(clarks("office:styles office:master-styles"))),
    "content.xml": ("office:document-content", _SHARED.union(clarks("office:scripts office:body"))),
    "meta.xml": ("office:document-meta", frozenset({clark("office:meta")})),
    "settings.xml": ("office:document-settings", frozenset({clark("office:settings")})),
}


class Flat:
    """The members of a flat document. Raises Malformed and LimitExceeded."""

    def __init__(self, source: Source, context: Context) -> None:
        self._context = context
        self._trees: dict[str, xml.Element] = {}
        self._pictures: dict[str, bytes] = {}
        self.links: list[str] = []
        self.declared: dict[str, str] = {}
        data = source.bytes()
        context.budget.spend_cells(data.count(b":table-cell"))
        root = xml.parse(data, context.budget)
        if root.tag != _DOCUMENT:
            raise Malformed(f"root element {root.tag}", code="odf.package")
        self.media_type = root.get(_MIMETYPE) or ""
        self._take_apart(root, "", 0)
        self.sizes = {**dict.fromkeys(self._trees, 1), **{name: len(content) for name, content in self._pictures.items()}}

    def read(self, name: str) -> bytes:
        """A picture by the name that it has in a package. Raises Malformed."""
        if name not in self._pictures:
            raise Malformed(f"no {name}", code="odf.package")
        return self._pictures[name]

    def parse(self, name: str) -> xml.Element:
        """A tree, which is then no longer held here: each is asked for once."""
        return self._trees.pop(name)

    def parse_apart(self, name: str) -> tuple[xml.Element, Excerpt | None]:
        """The trees of a flat document are cut out of one that is there already."""
        return self.parse(name), None

    def _take_apart(self, root: xml.Element, folder: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise LimitExceeded(f"objects nested deeper than {_DEEPEST}", where=folder)
        self._take_objects(root, folder, depth)
        self._take_pictures(root, folder)
        for name, (spelled, children) in _MEMBERS.items():
            member = etree.Element(clark(spelled), nsmap=root.nsmap)
            if root.get(_VERSION):
                member.set(_VERSION, root.get(_VERSION))
            member.extend([copy.deepcopy(child) if child.tag in _SHARED else child for child in root if child.tag in children])
            if len(member):
                self._trees[folder + name] = member

    def _take_objects(self, root: xml.Element, folder: str, depth: int) -> None:
        """Charts and formulas stand inside the element that shows them; a whole document of its own or just its mathematics."""
        for element in list(root.iter(_OBJECT)):
            inner = next((child for child in element if child.tag in (_DOCUMENT, _MATH)), None)
            if inner is None:
                continue    # or taken already, with the object that it stands in
            element.remove(inner)
            name = f"Object {len(self.declared) + 1}"
            element.set(_HREF, f"./{name}")
            if inner.tag == _MATH:
                self.declared[f"{folder}{name}/"] = "application/vnd.oasis.opendocument.formula"
                self._trees[f"{folder}{name}/content.xml"] = inner
            else:
                self.declared[f"{folder}{name}/"] = inner.get(_MIMETYPE) or ""
                self._take_apart(inner, f"{folder}{name}/", depth + 1)

    def _take_pictures(self, root: xml.Element, folder: str) -> None:
        for data in list(root.iter(_DATA)):
            element = data.getparent()
            if element.tag not in _PICTURES or element.get(_HREF):
                continue    # left where it is, and so left out
            name = f"Pictures/picture-{len(self._pictures) + 1}"
            self._pictures[name] = self._decoded(data.text or "")
            element.set(_HREF, "../" * folder.count("/") + name)
            element.remove(data)

    def _decoded(self, text: str) -> bytes:
        try:
            decoded = base64.b64decode(_BLANKS.sub("", text), validate=True)
        except ValueError:
            raise Malformed("binary data is no base64", code="odf.package") from None
        self._context.budget.spend_bytes(len(decoded))
        return decoded
