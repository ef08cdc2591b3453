"""A new package of parts, relationships and content types, written from nothing: ECMA-376 part 2."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sanitizers import zip as archive
from sanitizers.formats.office import pictures
from sanitizers.formats.office.markup import attribute

HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OPEN_XML: Final = "application/vnd.openxmlformats-officedocument."


class Relation(NamedTuple):
    """`kind`: the last piece of an office type, or a whole type; `target`: relative to the part."""

    kind: str
    target: str
    external: bool = False


class Relations:
    """Of one part, in the order of their ids, which begin with rId1."""

    def __init__(self) -> None:
        self.made: dict[Relation, str] = {}

    def add(self, kind: str, target: str) -> str:
        """The id; the same for the same target."""
        return self.made.setdefault(Relation(kind, target), f"rId{len(self.made) + 1}")


class Package:
    """Parts in the order in which they were added. `folder`: of the main part; `family`: as content types name it (`spreadsheetml`)."""

    def __init__(self, folder: str, family: str) -> None:
        self._folder = folder
        self._family = f"{_OPEN_XML}{family}."
        self._parts: dict[str, bytes] = {}
        self._types: dict[str, str] = {}
        self._pictures: dict[bytes, str] = {}
        self._extensions: dict[str, str] = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}

    def add(self, name: str, text: str, kind: str, relations: Collection[Relation] = ()) -> None:
        """An XML part; `kind` is its content type, or the last piece of one of the family."""
        self._parts[name] = (HEAD + text).encode()
        self._types[name] = kind if "/" in kind else f"{self._family}{kind}+xml"
        if relations:
            self.relate(name, relations)

    def add_picture(self, picture: pictures.Picture) -> str:
        """Once, however often it is shown; returns its place below the folder."""
        name = self._pictures.setdefault(picture.content, f"media/image{len(self._pictures) + 1}.{picture.kind}")
        self._parts[f"{self._folder}/{name}"] = picture.content
        self._extensions[picture.kind] = pictures.TYPES[picture.kind]
        return name

    def add_notes(self, name: str, text: str) -> None:
        """The boxes of comments, in VML."""
        self._parts[name] = text.encode()
        self._extensions["vml"] = "application/vnd.openxmlformats-officedocument.vmlDrawing"

    def relate(self, name: str, relations: Collection[Relation]) -> None:
        """The relationships of a part; `name` is "" for the package."""
        folder, _, base = name.rpartition("/")
        lines = "".join(
            f'<Relationship Id="rId{number}" Type="{one.kind if "/" in one.kind else OFFICE + one.kind}" Target={attribute(one.target)}'
            + (' TargetMode="External"/>' if one.external else "/>")
            for number, one in enumerate(relations, 1)
        )
        path = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        self._parts[path] = f'{HEAD}<Relationships xmlns="{_RELATIONS}">{lines}</Relationships>'.encode()

    def finish(self) -> bytes:
        """The package as a zip, content types first (ECMA-376 part 2, 10.1.2)."""
        defaults = "".join(f'<Default Extension="{ending}" ContentType="{kind}"/>' for ending, kind in self._extensions.items())
        overrides = "".join(f'<Override PartName={attribute("/" + name)} ContentType="{kind}"/>' for name, kind in self._types.items())
        writer = archive.Writer()
        writer.add("[Content_Types].xml", f'{HEAD}<Types xmlns="{_TYPES}">{defaults}{overrides}</Types>'.encode())
        for name, content in self._parts.items():
            writer.add(name, content)
        return writer.finish()
