"""The new package: parts reached from `_rels/.rels`, each made anew, with content types and relationships that say just what is there."""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.office import pictures
from sanitizers.formats.ooxml import (
    binaries,
    comments,
    custom_xml,
    drawing,
    objects,
    page,
    properties,
    rows,
    sheet,
    stretches,
    word,
)
from sanitizers.formats.ooxml.opc import CONTENT_TYPES, Package
from sanitizers.formats.ooxml.page import Page
from sanitizers.formats.ooxml.relationships import (
    DROPPED,
    EMBEDDED_TYPES,
    PLAIN_MAIN_TYPE,
    REGENERATED,
    ROLES,
    How,
    Relationship,
    Role,
)
from sanitizers.formats.ooxml.vocabulary import clark
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_SAFE_NAME: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}/){0,6}[A-Za-z0-9_][A-Za-z0-9_\-]{0,99}\.(?:xml|vml)")
_NOTES: Final = clark("p:notes")
_STANDS: Final = 1 << 18    # bytes: to parse a part twice costs as much as all else together
_RELATIONSHIP_TYPE: Final = "application/vnd.openxmlformats-package.relationships+xml"


class Rebuild:
    """One package on its way. `files` holds what is written, by part name; `types` the content type of each XML part."""

    def __init__(self, package: Package, context: Context) -> None:
        self.package = package
        self.context = context
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.kind = ""
        self.workbook = sheet.Workbook()
        self.bound = frozenset[str]()           # items of custom XML that content controls are bound to
        self.items = 0                          # such items that were taken
        self.previews: dict[str, list[objects.Preview]] = {}   # part of a sheet's drawing → pictures to put there
        self._taken: dict[str, str] = {}        # part → the name it gets
        self._used: dict[str, int] = {}         # each name in lower case → the last number behind it
        self._queue: deque[tuple[str, str]] = deque()
        self._pages: list[Page] = []
        self._silent: set[str] = set()          # parts that are left out and already spoken of, or not worth a word

    def run(self) -> Rebuilt:
        """All parts, then the lists of what there is. Raises Malformed."""
        top = [one for one in self.package.relationships("") if one.key == "officeDocument" and not one.external]
        if len(top) != 1:
            raise Malformed(f"{len(top)} main parts", where="_rels/.rels", code="ooxml.package")
        start = Page("", "", None, self.package.relationships(""), self)
        self._imply(start)
        while self._queue:
            self._rebuild_part(*self._queue.popleft())
        if not self.kind:
            raise Malformed("the main part is missing or of an unknown type", where="_rels/.rels", code="ooxml.package")
        for made in self._pages.copy():
            self._settle(made)
        self._drop_unused()
        self._report_unreached()
        written = b"" if self.context.second_pass else self._write()    # nobody reads it then
        return Rebuilt(Source(written), Kind(self.kind))

    def taken(self, part: str) -> str | None:
        """The name that the part gets in the new package, if it is taken."""
        return self._taken.get(part)

    def silence(self, part: str) -> None:
        """What is to be said of the part was said."""
        self._silent.add(part)

    # taking parts

    def take(self, source: Page, relation: Relationship) -> str | None:
        """What a relationship points to in the new package: a part's name, or a link; None if it may not stay."""
        role = ROLES.get(relation.key)
        if role is not None and role.how is How.LINK:
            leads = relation.external or relation.target.startswith("#")
            return relation.target if leads and source.allows_link(relation) else None
        part = None if role is None or relation.external else self.package.resolve(source.part, relation.target)
        if role is None or part is None or (relation.key == "officeDocument" and source.part):
            return None
        if part not in self._taken:
            self._take_part(part, relation.key, role)
        return self._taken.get(part)

    def _take_part(self, part: str, key: str, role: Role) -> None:
        if key in comments.ROLES and not self.context.treatment.comments_kept:
            self.context.found("ooxml.comments", self.package.name(part))
            self.silence(part)
        elif role.how is How.PICTURE:
            self._take_picture(part)
        elif role.how is How.PACKAGE:
            self._take_package(part)
        elif role.how is How.XML and self.package.content_type(part) in role.content_types and self._is_local(part, key):
            self._take_xml(part, key)

    def _is_local(self, part: str, key: str) -> bool:
        """A pivot table stays only if its data lie in this workbook."""
        if key == "pivotTable":
            caches = [one for one in self.package.relationships(part) if one.key == "pivotCacheDefinition" and not one.external]
            targets = [self.package.resolve(part, one.target) for one in caches]
            return all(target is not None and self._is_local(target, "pivotCacheDefinition") for target in targets) and bool(targets)
        if key == "pivotCacheDefinition" and part not in self._taken:
            return sheet.is_local_cache(self.package.read(part), self.context, part)
        return True

    def _take_xml(self, part: str, key: str) -> None:
        name = self.package.name(part)
        name = name if _SAFE_NAME.fullmatch(name) else f"{key}.xml"
        self._taken[part] = self._unused(name)
        self._queue.append((part, key))

    def _take_picture(self, part: str) -> None:
        name = self.package.name(part)
        picture = pictures.rebuild(posixpath.basename(name), self.package.read(part), name, self.context)
        self._store(part, picture.content, picture.kind, pictures.TYPES[picture.kind])

    def neutral_picture(self) -> str:
        """The name of the one neutral picture of this package."""
        return self._taken.get("*neutral") or self._store("*neutral", pictures.NEUTRAL.content, "png", pictures.TYPES["png"])

    def _take_package(self, part: str) -> None:
        name = self.package.name(part)
        self._silent.add(part)
        outcome = self.context.embed(posixpath.basename(name), self.package.read(part), name)
        made = outcome.report.output
        if outcome.content is None or made is None or made.kind not in EMBEDDED_TYPES:
            self.context.found("ooxml.embedded_file", name, Action.REMOVED, str(outcome.report.reason or outcome.report.input.kind))
            return
        self._store(part, outcome.content.bytes(), made.kind.value, EMBEDDED_TYPES[made.kind])

    def _store(self, part: str, content: bytes, extension: str, content_type: str) -> str:
        """A part that is not XML. Its old stem, the extension of what it is now."""
        folder, base = posixpath.split(self.package.name(part) if part in self.package.members else f"{self._folder()}/media/neutral.png")
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", base.rpartition(".")[0])[:80] or "part"
        folder = folder if re.fullmatch(r"[A-Za-z0-9_/-]{1,100}", folder) else f"{self._folder()}/media"
        name = self._unused(f"{folder}/{stem}.{extension}")
        self._taken[part] = name
        self.files[name] = content
        self.types[name] = content_type
        return name

    def _folder(self) -> str:
        return {"d": "word", "x": "xl", "p": "ppt"}.get(self.kind[:1], "media")

    def _unused(self, name: str) -> str:
        """The name, or one with a number behind its stem if another part already has it in any case."""
        stem, dot, extension = name.rpartition(".")
        first = name.lower()
        while name.lower() in self._used:
            self._used[first] += 1
            name = f"{stem}-{self._used[first]}{dot}{extension}"
        self._used[name.lower()] = 0
        return name

    # making parts

    def _rebuild_part(self, part: str, key: str) -> None:
        name = self._taken[part]
        data = self.package.read(part)
        if self.context.second_pass and len(data) > _STANDS:
            self._stand(part, key, data)
            return
        self.context.budget.spend_cells(sheet.count_cells(data) if key == "worksheet" else 0)
        rows_apart = rows.cut(data) if key == "worksheet" else None
        taken = stretches.take(data, key, self.context, name) if rows_apart is None else None
        data = rows_apart.frame if rows_apart is not None else taken.frame if taken is not None else data
        root = drawing.parse_vml(data, self.context, name) if key == "vmlDrawing" else xml.parse(data, self.context.budget, name)
        if root.tag not in ROLES[key].roots:
            raise Malformed(f"{root.tag} is no root element of {key}", where=name, code="ooxml.package")
        content_type = ROLES[key].content_types[self.package.content_type(part)]
        if key == "officeDocument":
            self.kind = content_type
            content_type = PLAIN_MAIN_TYPE[self.kind]
        made = Page(name, part, root, self.package.relationships(part), self, data)
        if (apart := rows_apart or taken) is not None:
            made.prefixes = apart.prefixes
        self._transform(made)
        self.types[name] = content_type
        written = xml.serialize(root)
        written = taken.fill(written) if taken is not None else written
        self.files[name] = written if rows_apart is None else rows_apart.join(written, self._rows(rows_apart, made))
        self._imply(made)
        made.root = None    # trees weigh much more than what was written of them

    def _stand(self, part: str, key: str, data: bytes) -> None:
        """A large part that the first pass wrote, with its cells counted, and the second opinion read.

        Its relationships were all found worth keeping.
        """
        made = Page(self._taken[part], part, None, self.package.relationships(part), self)
        content_type = ROLES[key].content_types[self.package.content_type(part)]
        self.kind = content_type if key == "officeDocument" else self.kind
        self.files[made.name], self.types[made.name] = data, PLAIN_MAIN_TYPE[self.kind] if key == "officeDocument" else content_type
        for relation in made.relations.values():
            made.keeps(relation)
        self._imply(made)

    def _rows(self, apart: rows.Sheet, frame: Page) -> list[bytes]:
        """The rows of a large worksheet, in pieces. A copy may stand before the shared formula that does not stay: then once more."""
        made = [*self._pieces(apart, frame)]
        return [*self._pieces(apart, frame)] if frame.formulas.lost else made

    def _pieces(self, apart: rows.Sheet, frame: Page) -> Iterator[bytes]:
        are_quiet = stretches.quiet_rows(apart)
        for start, end in apart.pieces():
            cells = apart.data[start:end]
            piece = apart.document(cells)
            if are_quiet(start, end) and sheet.formulas_stay(apart.formulas(cells), frame):
                xml.check(piece, frame.name)
                yield cells
                continue
            root = xml.parse(piece, self.context.budget, frame.name)
            made = Page(frame.name, frame.part, root, list(frame.relations.values()), self, piece)
            made.kept, made.formulas = frame.kept, frame.formulas
            self._transform(made)
            yield apart.inside(xml.serialize(made.root))

    def _transform(self, made: Page) -> None:
        page.resolve_alternatives(made)
        objects.place(made, self.previews.get(made.part, []))
        word.prepare(made)
        if not self.context.treatment.comments_kept:
            comments.drop(made)
        sheet.prepare(made)
        page.act(made, stretches.HANDLERS)
        drawing.check_references(made)
        page.strip_unknown(made)

    def _imply(self, made: Page) -> None:
        """Take what counts without any element that names it."""
        self._pages.append(made)
        for relation in made.relations.values():
            role = ROLES.get(relation.key)
            is_slide_of_notes = relation.key == "slide" and made.root is not None and made.root.tag in _NOTES
            if role is None or not (role.implied or is_slide_of_notes):
                continue
            if role.how is How.PROPERTIES:
                self._take_properties(made, relation)
            elif role.how is not How.DATA:
                made.keeps(relation)

    def _take_properties(self, made: Page, relation: Relationship) -> None:
        target = None if relation.external else self.package.resolve(made.part, relation.target)
        name, content_type = properties.PLACES[relation.key]
        if target is None or made.part or name in self.files:
            return
        self.silence(target)
        content = properties.rebuild(relation.key, self.package.read(target), self.package.name(target), self.context)
        if content is not None:
            made.kept[relation.id] = self.place(target, name, content, content_type)

    def place(self, part: str, name: str, content: bytes, content_type: str = "") -> str:
        """A part made elsewhere takes the place of one of the input; its name in the new package."""
        self._taken[part] = name = self._unused(name)
        self.files[name] = content
        if content_type:
            self.types[name] = content_type
        return name

    def relate(self, part: str, name: str, relation: Relationship, target: str) -> None:
        """The one relationship of a part that is no page."""
        made = Page(name, part, None, [relation], self)
        made.kept[relation.id] = target
        self._pages.append(made)
        self.files[_rels_name(name)] = _relationships_xml(made)

    def _settle(self, made: Page) -> None:
        """Say what is not kept, write the relationships that are."""
        for relation in made.relations.values():
            target = None if relation.external else self.package.resolve(made.part, relation.target)
            if relation.key == "customXml" and target is not None and made.part:
                custom_xml.settle(self, made, relation, target)
            elif relation.id not in made.kept:
                self._leave(made, relation, target)
        if made.kept:
            self.files[_rels_name(made.name)] = _relationships_xml(made)

    def _leave(self, made: Page, relation: Relationship, target: str | None) -> None:
        """One relationship that is not kept. A part that nothing names any more goes without a word if it is of an ordinary role."""
        if target is not None:
            fresh = target not in self._silent
            self.silence(target)
            if fresh and relation.key not in REGENERATED and not self._is_ordinary(relation, target):
                detail = binaries.look_into(self, target) or relation.type
                self.context.found(DROPPED.get(relation.key, "ooxml.unknown_part"), self.package.name(target), detail=detail)
        elif relation.external:
            code = DROPPED.get(relation.key, "ooxml.external_reference")
            self.context.found(code, f"{made.name or '_rels/.rels'}#{relation.id}", detail=relation.target)
        elif relation.key not in REGENERATED and not (relation.key == "hyperlink" and relation.target.startswith("#")):
            self.context.found("ooxml.dangling", f"{made.name or '_rels/.rels'}#{relation.id}", detail=relation.target)

    def _is_ordinary(self, relation: Relationship, target: str) -> bool:
        """Of a role that counts only when an element names it, and what it should be."""
        role = ROLES.get(relation.key)
        if role is None or role.implied or (relation.key in DROPPED and relation.key != "image"):
            return False
        return role.how is not How.XML or self.package.content_type(target) in role.content_types

    def _drop_unused(self) -> None:
        """Pictures that were made for an element that went after all."""
        used = {target for made in self._pages for target in made.kept.values()}
        for name in [name for name in self.files if not name.endswith(".rels") and name not in used]:
            del self.files[name]
            self.types.pop(name, None)

    def _report_unreached(self) -> None:
        for part in self.package.members:
            if part in self._taken or part in self._silent or part == CONTENT_TYPES or "_rels/" in part:
                continue
            self.context.found("ooxml.unreferenced_part", self.package.name(part), detail=self.package.content_type(part))
        for link in self.package.links:
            self.context.found("ooxml.unreferenced_part", link, detail="link")

    # writing

    def _write(self) -> bytes:
        writer = archive.Writer()
        writer.add("[Content_Types].xml", self._content_types())
        for name in sorted(self.files, key=lambda name: (name != "_rels/.rels", name)):
            writer.add(name, self.files[name])
        return writer.finish()

    def _content_types(self) -> bytes:
        defaults = {"rels": _RELATIONSHIP_TYPE, "xml": "application/xml"}
        overrides: list[str] = []
        for name, content_type in sorted(self.types.items()):
            extension = name.rpartition(".")[2]
            if extension == "xml" or defaults.setdefault(extension, content_type) != content_type:
                overrides.append(f"<Override PartName={quoteattr('/' + name)} ContentType={quoteattr(content_type)}/>")
        kinds = "".join(f"<Default Extension={quoteattr(e)} ContentType={quoteattr(t)}/>" for e, t in defaults.items())
        return _document("Types", "http://schemas.openxmlformats.org/package/2006/content-types", kinds + "".join(overrides))


def _rels_name(name: str) -> str:
    folder, base = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def _relationships_xml(made: Page) -> bytes:
    lines: list[str] = []
    for identity, target in made.kept.items():
        relation = made.relations[identity]
        mode = ' TargetMode="External"' if relation.external else ""
        inside = not (relation.external or target.startswith("#"))
        link = posixpath.relpath(target, posixpath.dirname(made.name) or ".") if inside else target
        attributes = f"Id={quoteattr(identity)} Type={quoteattr(relation.type)} Target={quoteattr(link)}"
        lines.append(f"<Relationship {attributes}{mode}/>")
    return _document("Relationships", "http://schemas.openxmlformats.org/package/2006/relationships", "".join(lines))


def _document(root: str, space: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<{root} xmlns="{space}">{inside}</{root}>'.encode()

