"""The new workbook: parts, relationships and content types of ECMA-376 part 2, written from nothing."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from sanitizers import zip as archive
from sanitizers.formats.office import pictures
from sanitizers.formats.xls import markup
from sanitizers.formats.xls.sheet import Relation

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."


class Package:
    """Parts in the order in which they were added."""

    def __init__(self) -> None:
        self._parts: dict[str, bytes] = {}
        self._types: dict[str, str] = {}
        self._pictures: dict[bytes, str] = {}
        self._extensions: dict[str, str] = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}

    def add(self, name: str, text: str, kind: str) -> None:
        """An XML part; `kind` is its content type, or the last piece of one of SpreadsheetML."""
        self._parts[name] = (_HEAD + text).encode()
        self._types[name] = kind if "/" in kind else f"{_SHEET}{kind}+xml"

    def add_picture(self, picture: pictures.Picture) -> str:
        """Once, however often it is shown; returns its name in the folder of media."""
        name = self._pictures.setdefault(picture.content, f"image{len(self._pictures) + 1}.{picture.kind}")
        self._parts[f"xl/media/{name}"] = picture.content
        self._extensions[picture.kind] = pictures.TYPES[picture.kind]
        return name

    def add_notes(self, name: str, text: str) -> None:
        """The boxes of comments, in VML."""
        self._parts[name] = text.encode()
        self._extensions["vml"] = "application/vnd.openxmlformats-officedocument.vmlDrawing"

    def relate(self, name: str, relations: list[Relation]) -> None:
        """The relationships of a part; `name` is "" for the package."""
        folder, _, base = name.rpartition("/")
        lines = "".join(
            f'<Relationship Id="rId{number}" Type="{_type(one.kind)}" Target={markup.attribute(one.target)}'
            + (' TargetMode="External"/>' if one.external else "/>")
            for number, one in enumerate(relations, 1)
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


def _type(kind: str) -> str:
    return kind if "/" in kind else OFFICE + kind
