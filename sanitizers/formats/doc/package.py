"""The new document: parts, relationships and content types of ECMA-376 part 2, written from nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr

from sanitizers import zip as archive
from sanitizers.formats.office import pictures

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml."


class Relation(NamedTuple):
    """`kind`: the last piece of an office type, or a whole type; `target`: relative to the part."""

    kind: str
    target: str


@dataclass(slots=True)
class Relations:
    """Of one part, in the order of their ids."""

    made: list[Relation] = field(default_factory=list)

    def add(self, kind: str, target: str) -> str:
        """The id; the same for the same target."""
        one = Relation(kind, target)
        if one not in self.made:
            self.made.append(one)
        return f"rId{self.made.index(one) + 1}"


class Package:
    """Parts in the order in which they were added."""

    def __init__(self) -> None:
        self._parts: dict[str, bytes] = {}
        self._types: dict[str, str] = {}
        self._pictures: dict[bytes, str] = {}
        self._extensions: dict[str, str] = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}

    def add(self, name: str, text: str, kind: str, relations: Relations | None = None) -> None:
        """An XML part; `kind` is its content type, or the last piece of one of WordprocessingML."""
        self._parts[name] = (_HEAD + text).encode()
        self._types[name] = kind if "/" in kind else f"{_WORD}{kind}+xml"
        if relations is not None and relations.made:
            self.relate(name, relations)

    def add_picture(self, picture: pictures.Picture) -> str:
        """Once, however often it is shown; returns its place below the folder of the document."""
        name = self._pictures.setdefault(picture.content, f"media/image{len(self._pictures) + 1}.{picture.kind}")
        self._parts[f"word/{name}"] = picture.content
        self._extensions[picture.kind] = pictures.TYPES[picture.kind]
        return name

    def relate(self, name: str, relations: Relations) -> None:
        """The relationships of a part; `name` is "" for the package."""
        folder, _, base = name.rpartition("/")
        lines = "".join(
            f'<Relationship Id="rId{number}" Type="{one.kind if "/" in one.kind else OFFICE + one.kind}" Target={quoteattr(one.target)}/>'
            for number, one in enumerate(relations.made, 1)
        )
        path = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        self._parts[path] = f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{lines}</Relationships>'.encode()

    def finish(self) -> bytes:
        defaults = "".join(f'<Default Extension="{ending}" ContentType="{kind}"/>' for ending, kind in self._extensions.items())
        overrides = "".join(f'<Override PartName={quoteattr("/" + name)} ContentType="{kind}"/>' for name, kind in self._types.items())
        writer = archive.Writer()
        writer.add("[Content_Types].xml", f'{_HEAD}<Types xmlns="{_TYPES}">{defaults}{overrides}</Types>'.encode())
        for name, content in self._parts.items():
            writer.add(name, content)
        return writer.finish()
