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
from sanitizers.formats.odf import cells, encryption, properties
from sanitizers.formats.odf import page as pages
from sanitizers.formats.odf.page import HREF, Page
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.formats.ooxml import pictures, tree
from sanitizers.model import Action, Kind, LimitExceeded, Malformed
from sanitizers.source import Source

MEDIA_TYPE: Final = "application/vnd.oasis.opendocument."
DOCUMENTS: Final = {
    **{f"{MEDIA_TYPE}{name}{ending}": kind for name, kind in (
        ("text", Kind.ODT), ("spreadsheet", Kind.ODS), ("presentation", Kind.ODP), ("graphics", Kind.ODG)) for ending in ("", "-template")}
}  # fmt: skip
_OBJECTS: Final = frozenset(f"{MEDIA_TYPE}{name}" for name in ("chart", "formula", "text", "spreadsheet", "presentation", "graphics"))
_PICTURE_TYPES: Final = {
    "png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp", "tiff": "image/tiff", "svg": "image/svg+xml",
    "webp": "image/webp",
}  # fmt: skip
_ROOTS: Final = {
    "content.xml": frozenset({clark("office:document-content"), clark("math:math")}),
    "styles.xml": frozenset({clark("office:document-styles")}),
    "meta.xml": frozenset({clark("office:document-meta")}),
    "settings.xml": frozenset({clark("office:document-settings")}),
}
_VERSION: Final = clark("office:version")
_DEEPEST: Final = 8       # sub-documents in sub-documents
_QUIET: Final = frozenset({"manifest.rdf", "layout-cache", "mimetype", "META-INF/manifest.xml", *_ROOTS})


class Rebuild:
    """One package on its way. `files`: new member → bytes; `types`: its media type in the manifest."""

    def __init__(self, source: Source, context: Context) -> None:
        self.context = context
        self._archive = archive.open_archive(source, most=context.limits.parts)
        self._members = {m.name: m for m in self._archive.members if not m.directory and not m.symlink}
        self._links = [m.name for m in self._archive.members if m.symlink]
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self._pictures: dict[str, str] = {}    # member → new member
        self._objects: dict[str, bool] = {}    # folder → it is taken
        self._spoken: set[str] = set()
        self._declared: dict[str, str] = {}
        self._locks: dict[str, encryption.Lock] = {}
        self._version = "1.2"

    def run(self) -> Rebuilt:
        """Raises Malformed, Encrypted and LimitExceeded."""
        media_type = self._read("mimetype").strip().decode("ascii", "replace")
        if media_type not in DOCUMENTS:
            raise Malformed(f"mimetype {media_type[:100]}", where="mimetype", code="odf.package")
        self._read_manifest()
        self._document("", 0)
        if "content.xml" not in self.files:
            raise Malformed("no content.xml", code="odf.package")
        self._report_rest()
        return Rebuilt(Source(self._write(media_type)), DOCUMENTS[media_type])

    def picture(self, element: xml.Element, page: Page) -> None:
        """A picture of the package goes round the engine; one from outside goes away."""
        member = self._member(page, element.get(HREF))
        if member is None:
            page.found("odf.external_image" if "//" in element.get(HREF) else "odf.external_reference", "image", detail=element.get(HREF))
            self._drop(element)
            return
        shows_object = any(sibling.tag == clark("draw:object") for sibling in element.itersiblings(preceding=True))
        target = self._picture(member, generated=shows_object)
        if target is None:
            tree.remove(element)
        else:
            element.set(HREF, posixpath.relpath(target, page.folder.rstrip("/") or "."))

    def _drop(self, element: xml.Element) -> None:
        """What only fills a shape loses its picture; a picture itself becomes the neutral one."""
        if element.tag == clark("draw:image"):
            element.set(HREF, self._store("Pictures/neutral.png", pictures.NEUTRAL))
        else:
            del element.attrib[HREF]

    def embedded_object(self, element: xml.Element, page: Page) -> None:
        """A chart, formula or document inside is rebuilt like this one; anything else leaves its picture."""
        folder = self._path(page, element.get(HREF)).rstrip("/") + "/"
        if folder not in self._objects:
            self._objects[folder] = self._declared.get(folder, "") in _OBJECTS and f"{folder}content.xml" in self._members
            if self._objects[folder]:
                self._document(folder, folder.count("/"))
                self.types[folder] = self._declared[folder]
        if not self._objects[folder]:
            page.found("odf.object", element.get(HREF))
            self._spoken.add(folder.rstrip("/"))
            tree.remove(element)

    def _picture(self, member: str, *, generated: bool) -> str | None:
        """The new member; None for a preview that the application draws itself, when it cannot be rebuilt."""
        if member in self._pictures:
            return self._pictures[member]
        self._spoken.add(member)
        data = self._read(member)
        name = posixpath.basename(member)
        if generated and not data.startswith(b"\x89PNG"):
            return None
        made = pictures.rebuild(name, data, member, self.context, "odf.picture_replaced")
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", name.rpartition(".")[0] or name)[:80]
        self._pictures[member] = self._store(f"Pictures/{stem}.{made.kind}", made)
        return self._pictures[member]

    def _store(self, name: str, made: pictures.Picture) -> str:
        stem, dot, extension = name.rpartition(".")
        number = 0
        while name in self.files and self.files[name] != made.content:
            number += 1
            name = f"{stem}-{number}{dot}{extension}"
        self.files[name] = made.content
        self.types[name] = _PICTURE_TYPES.get(made.kind, "image/png")
        return name

    # reading

    def _read(self, name: str) -> bytes:
        if name not in self._members:
            raise Malformed(f"no {name}", code="odf.package")
        data = self._archive.read(self._members[name], self.context.budget)
        if (locked := self._locks.get(name)) is None:
            return data
        if locked.size > self.context.budget.expanded_left:
            raise LimitExceeded(f"member of {locked.size} bytes", where=name)
        plain = encryption.unlock(data, locked, self.context.passwords, name)
        self.context.budget.spend_bytes(len(plain))
        self.context.found("file.decrypted", "", Action.REWRITTEN)
        return plain

    def _path(self, page: Page, href: str) -> str:
        return posixpath.normpath(posixpath.join("/", page.folder, unquote(href))).lstrip("/")

    def _member(self, page: Page, href: str) -> str | None:
        path = self._path(page, href)
        return path if path in self._members and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//|\\", href) else None

    def _read_manifest(self) -> None:
        root = xml.parse(self._read("META-INF/manifest.xml"), self.context.budget, "META-INF/manifest.xml")
        for entry in root.iter(clark("manifest:file-entry")):
            path = entry.get(clark("manifest:full-path")) or ""
            if (locked := encryption.lock(entry, path)) is not None:
                self._locks[path] = locked
            media_type = entry.get(clark("manifest:media-type")) or ""
            if self._declared.setdefault(path, media_type) != media_type:
                raise Malformed(f"{path} is listed twice", where="META-INF/manifest.xml", code="odf.package")

    # making

    def _document(self, folder: str, depth: int) -> None:
        """A document or sub-document: its content and styles; meta data and settings of the outer one only."""
        if depth > _DEEPEST:
            raise LimitExceeded(f"objects nested deeper than {_DEEPEST}", where=folder)
        for base in ("styles.xml", "content.xml"):
            name = folder + base
            if name in self._members:
                self.files[name] = self._page(name, base, folder)
                self.types[name] = "text/xml"
        if folder:
            return
        if "meta.xml" in self._members:
            root = self._parse("meta.xml", "meta.xml")
            self.files["meta.xml"] = properties.meta(root, "meta.xml", self.context, self._version)
            self.types["meta.xml"] = "text/xml"
        if "settings.xml" in self._members:
            root = self._parse("settings.xml", "settings.xml")
            self.files["settings.xml"] = properties.settings(root, "settings.xml", self.context)
            self.types["settings.xml"] = "text/xml"

    def _parse(self, name: str, base: str) -> xml.Element:
        data = self._read(name)
        self.context.budget.spend_cells(data.count(b":table-cell"))
        root = xml.parse(data, self.context.budget, name)
        if root.tag not in _ROOTS[base]:
            raise Malformed(f"root element {root.tag}", where=name, code="odf.package")
        version = root.get(_VERSION) or ""
        if not name.count("/") and re.fullmatch(r"1\.[0-9]", version):
            self._version = version
        return root

    def _page(self, name: str, base: str, folder: str) -> bytes:
        root = self._parse(name, base)
        cells.spend(root, self.context.budget, name)
        page = Page(name, folder, root, self)
        pages.clean(page)
        return xml.serialize(root)

    # reporting and writing

    def _report_rest(self) -> None:
        for name, member in self._members.items():
            inside = any(name.startswith(folder) for folder, taken in self._objects.items() if taken)
            if name in self.files or name in self._spoken or name in _QUIET or not member.size or name in self._pictures:
                continue
            if inside and posixpath.basename(name) in ("meta.xml", "settings.xml"):
                continue
            self.context.found(_code(name), name, Action.REMOVED, self._declared.get(name, ""))
            if name.startswith(("Basic/", "Scripts/", "Object")):
                self.context.scan_layer(self._read(name), name)
        for name in self._links:
            self.context.found("odf.unknown_member", name, Action.REMOVED, "link")

    def _write(self, media_type: str) -> bytes:
        writer = archive.Writer()
        writer.add("mimetype", media_type.encode(), store=True)
        for name in sorted(self.files):
            writer.add(name, self.files[name])
        writer.add("META-INF/manifest.xml", self._manifest(media_type))
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


def _code(name: str) -> str:
    folder = name.partition("/")[0]
    if folder in ("Basic", "Scripts") or name.startswith("META-INF/macrosignatures"):
        return "odf.macro"
    if "signatures" in name:
        return "odf.signature"
    if folder.startswith("Object"):
        return "odf.object" if not folder.startswith("ObjectReplacements") else "odf.thumbnail"
    return _BY_FOLDER.get(folder, "odf.unknown_member")


_BY_FOLDER: Final = {"Thumbnails": "odf.thumbnail", "Configurations2": "odf.settings", "media": "odf.media", "Media": "odf.media"}
