"""The package as it was given: members, content types and relationships, read strictly. ECMA-376 part 2 (Open Packaging Conventions)."""

from __future__ import annotations

import posixpath
import re
from typing import Final
from urllib.parse import unquote

from sanitizers import xml
from sanitizers import zip as archive
from sanitizers.context import Context
from sanitizers.formats.ooxml import relationships
from sanitizers.formats.ooxml.relationships import Relationship
from sanitizers.model import Malformed
from sanitizers.source import Source

CONTENT_TYPES: Final = "[content_types].xml"
_TYPES: Final = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONSHIP: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,254}")
_MOST_RELATIONSHIPS: Final = 100_000


class Package:
    """Part names are looked up without regard to case, as part 2 §6.2.2 wants; `name` keeps the spelling of the ZIP directory."""

    def __init__(self, source: Source, context: Context) -> None:
        self._context = context
        self._archive = archive.open_archive(source, most=context.limits.parts)
        self.members = {m.name.lstrip("/").lower(): m for m in self._archive.members if not m.directory and not m.symlink}
        self.links = tuple(m.name for m in self._archive.members if m.symlink)
        self._scanned: set[str] = set()
        self._defaults: dict[str, str] = {}
        self._overrides: dict[str, str] = {}
        self._read_content_types()

    def name(self, part: str) -> str:
        return self.members[part].name.lstrip("/")

    def read(self, part: str) -> bytes:
        """The inflated member; the rules look at it when it is read first."""
        data = self._archive.read(self.members[part], self._context.budget, self._context.passwords)
        if part not in self._scanned:
            self._scanned.add(part)
            self._context.scan_layer(data, self.name(part))
        return data

    def content_type(self, part: str) -> str:
        """In lower case, without parameters; "" if the package does not say."""
        found = self._overrides.get(part) or self._defaults.get(part.rpartition(".")[2], "")
        return found.partition(";")[0].strip().lower()

    def relationships(self, part: str) -> list[Relationship]:
        """Those of a part, "" for the package's own. Raises Malformed for ids that are missing or used twice."""
        folder, base = posixpath.split(part)
        where = posixpath.join(folder, "_rels", f"{base}.rels")
        if where not in self.members:
            return []
        root = xml.parse(self.read(where), self._context.budget, where)
        found: dict[str, Relationship] = {}
        for element in root.iter(_RELATIONSHIP):
            one = _relationship(element, where)
            if one.id in found or len(found) >= _MOST_RELATIONSHIPS:
                raise Malformed(f"relationship {one.id} twice", where=where, code="ooxml.package")
            found[one.id] = one
        return list(found.values())

    def resolve(self, part: str, target: str) -> str | None:
        """The part that an internal target names, None if there is none of that name."""
        path = target.replace("\\", "/").partition("#")[0]
        path = path if path.startswith("/") else posixpath.join("/", posixpath.dirname(part), path)
        path = posixpath.normpath(path).lstrip("/").lower()
        for spelled in (path, unquote(path)):
            if spelled in self.members:
                return spelled
        return None

    def _read_content_types(self) -> None:
        if CONTENT_TYPES not in self.members:
            raise Malformed("no content types", code="ooxml.package")
        root = xml.parse(self.read(CONTENT_TYPES), self._context.budget, "[Content_Types].xml")
        for element in root.iter(f"{_TYPES}Default"):
            self._defaults[(element.get("Extension") or "").lower()] = element.get("ContentType") or ""
        for element in root.iter(f"{_TYPES}Override"):
            name = (element.get("PartName") or "").replace("\\", "/").lstrip("/").lower()
            for spelled in (name, unquote(name)):
                if self._overrides.setdefault(spelled, element.get("ContentType") or "") != (element.get("ContentType") or ""):
                    raise Malformed(f"two content types for {name}", where="[Content_Types].xml", code="ooxml.package")


def _relationship(element: xml.Element, where: str) -> Relationship:
    name, kind, target = element.get("Id"), element.get("Type"), element.get("Target")
    if name is None or kind is None or target is None or not _ID.fullmatch(name):
        raise Malformed("relationship without a proper id, type and target", where=where, code="ooxml.package")
    external = (element.get("TargetMode") or "Internal").lower() == "external"
    return Relationship(name, kind, relationships.key(kind), target, external)
