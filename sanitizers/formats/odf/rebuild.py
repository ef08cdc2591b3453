"""The new OpenDocument package: the members that the document needs, each made anew, and a manifest that lists just them."""

from __future__ import annotations

import posixpath
import re
from typing import Final
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.odf import cells, properties, rdf
from sanitizers.formats.odf import page as pages
from sanitizers.formats.odf.package import MANIFEST, Given
from sanitizers.formats.odf.page import HREF, Page
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.formats.office import pictures, tree
from sanitizers.model import Action, Kind, Malformed, Unsupported
from sanitizers.source import Source

MEDIA_TYPE: Final = "application/vnd.oasis.opendocument."
DOCUMENTS: Final = {
    **{f"{MEDIA_TYPE}{name}{ending}": kind for name, kind in (
        ("text", Kind.ODT), ("spreadsheet", Kind.ODS), ("presentation", Kind.ODP), ("graphics", Kind.ODG)) for ending in ("", "-template")},
    f"{MEDIA_TYPE}formula": Kind.ODF,
}  # fmt: skip
_OBJECTS: Final = frozenset(f"{MEDIA_TYPE}{name}" for name in ("chart", "formula", "text", "spreadsheet", "presentation", "graphics"))
_PICTURE_TYPES: Final = {**pictures.TYPES, "webp": "image/webp"}
_ROOTS: Final = {
    "content.xml": frozenset({clark("office:document-content"), clark("math:math")}),
    "styles.xml": frozenset({clark("office:document-styles")}),
    "meta.xml": frozenset({clark("office:document-meta")}),
    "settings.xml": frozenset({clark("office:document-settings")}),
}
_VERSION: Final = clark("office:version")
_QUIET: Final = frozenset({"layout-cache", "mimetype", MANIFEST, *_ROOTS})
_INSIDE: Final = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*:|//|\\)")           # no scheme, no host
_MISSING: Final = re.compile(r"(?:\./)?[\w -]+(?:/[\w .-]+)+$")          # looks like a member, but there is none
_IMAGE: Final = clark("draw:image")
_FOLDER: Final = re.compile(r"(?:[\w .-]{1,60}/){1,8}")     # of a sub-document: no deeper in others than that


class Rebuild:
    """One package on its way. `files`: new member → bytes; `types`: its media type in the manifest."""

    def __init__(self, given: Given, context: Context) -> None:
        self.context = context
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self._given = given
        self._pictures: dict[str, pictures.Picture] = {}    # member → what it became
        self._objects: dict[str, bool] = {}    # folder → it is taken
        self._spoken: set[str] = set()
        self._version = "1.2"

    def run(self) -> Rebuilt:
        """Raises Malformed, Unsupported, Encrypted and LimitExceeded."""
        media_type = self._given.media_type
        if media_type not in DOCUMENTS:
            raise Unsupported(f"OpenDocument of type {media_type[:100]}", where="mimetype")
        self._document("")
        if "content.xml" not in self.files:
            raise Malformed("no content.xml", code="odf.package")
        self._report_rest()
        written = b"" if self.context.second_pass else self._write(media_type)    # nobody reads it then
        return Rebuilt(Source(written), DOCUMENTS[media_type])

    def picture(self, element: xml.Element, page: Page) -> None:
        """A picture of the package goes round the engine; one from outside goes away, unless the shape has another."""
        href = element.get(HREF)
        member = self._member(page, href)
        shows_object = any(sibling.tag == clark("draw:object") for sibling in element.itersiblings(preceding=True))
        if member is None and shows_object and _MISSING.match(href):
            tree.remove(element)    # the application draws it
            return
        if member is None:
            code = "odf.picture_replaced" if _MISSING.match(href) else "odf.external_image" if "//" in href else "odf.external_reference"
            page.found(code, "image", Action.REWRITTEN, href)
            if not self._other(element):
                self._drop(element, page)
            return
        made = self._rebuilt(member, generated=shows_object)
        if made is None:
            tree.remove(element)
        elif made is not pictures.NEUTRAL or not self._other(element):
            element.set(HREF, _relative(self._store(_new_name(member, made), made), page))

    def _other(self, element: xml.Element) -> bool:
        """One frame may hold the same picture in several formats, beside or inside each other: another one takes the place."""
        inner = element.find(_IMAGE)
        if inner is not None:
            element.addnext(inner)
        elif element.tag != _IMAGE or all(sibling is element or sibling.tag != _IMAGE for sibling in element.getparent()):
            return False
        tree.remove(element)
        return True

    def _drop(self, element: xml.Element, page: Page) -> None:
        """What only fills a shape loses its picture; a picture itself becomes the neutral one."""
        if element.tag == _IMAGE:
            element.set(HREF, _relative(self._store("Pictures/neutral.png", pictures.NEUTRAL), page))
        else:
            del element.attrib[HREF]

    def embedded_object(self, element: xml.Element, page: Page) -> None:
        """A chart, formula or document inside is rebuilt like this one; anything else leaves its picture."""
        folder = self._path(page, element.get(HREF)).rstrip("/") + "/"
        if folder not in self._objects:
            known = self._given.declared.get(folder, "") in _OBJECTS and f"{folder}content.xml" in self._given.sizes
            self._objects[folder] = known and bool(_FOLDER.fullmatch(folder) and _INSIDE.match(element.get(HREF)))
            if self._objects[folder]:
                self._document(folder)
                self.types[folder] = self._given.declared[folder]
        if not self._objects[folder]:
            page.found("odf.object", element.get(HREF))
            self._spoken.add(folder.rstrip("/"))
            tree.remove(element)
        else:
            element.set(HREF, f"./{_relative(folder.rstrip('/'), page)}")

    def _rebuilt(self, member: str, *, generated: bool) -> pictures.Picture | None:
        """None for a preview that the application draws itself, when it cannot be rebuilt."""
        if member not in self._pictures:
            self._spoken.add(member)
            data = self._given.read(member)
            if generated and not data.startswith(b"\x89PNG"):
                return None
            name = posixpath.basename(member)
            self._pictures[member] = pictures.rebuild(name, data, member, self.context, "odf.picture_replaced", _PICTURE_TYPES)
        return self._pictures[member]

    def _store(self, name: str, made: pictures.Picture) -> str:
        stem, dot, extension = name.rpartition(".")
        number = 0
        while name in self.files and self.files[name] != made.content:
            number += 1
            name = f"{stem}-{number}{dot}{extension}"
        self.files[name] = made.content
        self.types[name] = _PICTURE_TYPES[made.kind]
        return name

    # reading

    def _path(self, page: Page, href: str) -> str:
        return posixpath.normpath(posixpath.join("/", page.folder, unquote(href))).lstrip("/")

    def _member(self, page: Page, href: str) -> str | None:
        path = self._path(page, href)
        return path if path in self._given.sizes and _INSIDE.match(href) else None

    # making

    def _document(self, folder: str) -> None:
        """A document or sub-document: its content and styles; meta data and settings of the outer one only."""
        for base in ("styles.xml", "content.xml"):
            name = folder + base
            if name in self._given.sizes:
                self.files[name] = self._page(name, base, folder)
                self.types[name] = "text/xml"
        if folder:
            return
        if "meta.xml" in self._given.sizes:
            root = self._parse("meta.xml", "meta.xml")
            self.files["meta.xml"] = properties.meta(root, "meta.xml", self.context, self._version)
            self.types["meta.xml"] = "text/xml"
        if "settings.xml" in self._given.sizes:
            root = self._parse("settings.xml", "settings.xml")
            self.files["settings.xml"] = properties.settings(root, "settings.xml", self.context)
            self.types["settings.xml"] = "text/xml"

    def _parse(self, name: str, base: str) -> xml.Element:
        return self._checked(self._given.parse(name), name, base)

    def _checked(self, root: xml.Element, name: str, base: str) -> xml.Element:
        if root.tag not in _ROOTS[base]:
            raise Malformed(f"root element {root.tag}", where=name, code="odf.package")
        version = root.get(_VERSION) or ""
        if not name.count("/") and re.fullmatch(r"1\.[0-9]", version):
            self._version = version
        return root

    def _page(self, name: str, base: str, folder: str) -> bytes:
        root, apart = self._given.parse_apart(name)
        cells.spend(self._checked(root, name, base), self.context.budget, name)
        page = Page(name, folder, root, self)
        if apart is not None:
            page.prefixes = apart.prefixes
        pages.clean(page)
        written = xml.serialize(page.root)
        return written if apart is None else apart.fill(written)

    # reporting and writing

    def _report_rest(self) -> None:
        for name, size in self._given.sizes.items():
            inside = any(name.startswith(folder) for folder, taken in self._objects.items() if taken)
            if name in self.files or name in self._spoken or name in _QUIET or not size or name in self._pictures:
                continue
            if inside and posixpath.basename(name) in ("meta.xml", "settings.xml"):
                continue
            if name == rdf.MEMBER and rdf.says_nothing(self._given.read(name), self.context.budget):
                continue
            declared = self._given.declared.get(name, "")
            self.context.found("odf.object" if "oleobject" in declared else _code(name), name, Action.REMOVED, declared)
            if name.startswith(("Basic/", "Scripts/", "Object")):
                self._given.read(name)      # for the rules alone
        for name in self._given.links:
            self.context.found("odf.unknown_member", name, Action.REMOVED, "link")

    def _write(self, media_type: str) -> bytes:
        writer = archive.Writer()
        writer.add("mimetype", media_type.encode(), store=True)
        for name in sorted(self.files):
            writer.add(name, self.files[name])
        writer.add(MANIFEST, self._manifest(media_type))
        return writer.finish()

    def _manifest(self, media_type: str) -> bytes:
        version = f'manifest:version="{self._version}"'
        lines = [f'<manifest:file-entry manifest:full-path="/" {version} manifest:media-type={quoteattr(media_type)}/>']
        lines += [
            f"<manifest:file-entry manifest:full-path={quoteattr(name)} manifest:media-type={quoteattr(kind)}/>"
            for name, kind in sorted(self.types.items())
        ]
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest xmlns:manifest="{SPACES["manifest"]}" {version}>'
        return f"{head}{''.join(lines)}</manifest:manifest>".encode()


def _new_name(member: str, made: pictures.Picture) -> str:
    name = posixpath.basename(member)
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", name.rpartition(".")[0] or name)[:80]
    return f"Pictures/{stem}.{made.kind}"


def _relative(member: str, page: Page) -> str:
    return posixpath.relpath(member, page.folder.rstrip("/") or ".")


def _code(name: str) -> str:
    folder = name.partition("/")[0]
    if name.startswith("META-INF/macrosignatures"):
        return "odf.macro"
    if name.startswith("META-INF/") and "signatures" in name:
        return "odf.signature"
    return _CODES.get(folder, "odf.object" if folder.startswith("Object") else "odf.unknown_member")


# The first piece of a member's name → what it is.
_CODES: Final = {
    "Basic": "odf.macro",
    "Scripts": "odf.macro",
    "Dialogs": "odf.macro",
    "ObjectReplacements": "odf.thumbnail",
    "Thumbnails": "odf.thumbnail",
    "Configurations2": "odf.settings",
    "media": "odf.media",
    "Media": "odf.media",
    "Fonts": "odf.font",
    "Versions": "odf.version",
    "VersionList.xml": "odf.version",
    rdf.MEMBER: "odf.rdf",
}
