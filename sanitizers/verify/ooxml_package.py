"""The second opinion on Office packages: the ZIP, its content types and relationships, read by zipfile and expat."""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import struct
import zipfile
import zlib
from typing import Final, NamedTuple
from xml.parsers import expat

from sanitizers.model import Kind, VerificationFailed
from sanitizers.verify import ooxml_calls

MAIN: Final = {
    Kind.DOCX: "wordprocessingml.document.main",
    Kind.DOTX: "wordprocessingml.template.main",
    Kind.XLSX: "spreadsheetml.sheet.main",
    Kind.XLTX: "spreadsheetml.template.main",
    Kind.PPTX: "presentationml.presentation.main",
    Kind.PPSX: "presentationml.slideshow.main",
    Kind.POTX: "presentationml.template.main",
}
_OFFICE_TYPES: Final = frozenset(
    f"application/vnd.openxmlformats-officedocument.{family}.{name}+xml"
    for family, names in {
        "wordprocessingml": "document.main template.main styles settings webSettings fontTable numbering footnotes endnotes header footer "
        "document.glossary comments commentsExtended commentsIds commentsExtensible",
        "spreadsheetml": "sheet.main template.main styles comments worksheet chartsheet sharedStrings sheetMetadata table pivotTable "
        "pivotCacheDefinition pivotCacheRecords",
        "presentationml": "presentation.main slideshow.main template.main comments slide slideLayout slideMaster notesSlide notesMaster "
        "handoutMaster presProps viewProps tableStyles commentAuthors",
        "drawingml": "chart chartshapes diagramData diagramLayout diagramLayoutHeader diagramStyle diagramColors",
    }.items()
    for name in names.split()
)
_OTHER_TYPES: Final = frozenset(
    """
    application/xml application/vnd.openxmlformats-package.relationships+xml application/vnd.openxmlformats-package.core-properties+xml
    application/vnd.openxmlformats-officedocument.extended-properties+xml
    application/vnd.openxmlformats-officedocument.custom-properties+xml
    application/vnd.openxmlformats-officedocument.theme+xml application/vnd.openxmlformats-officedocument.themeOverride+xml
    application/vnd.openxmlformats-officedocument.drawing+xml application/vnd.openxmlformats-officedocument.vmlDrawing
    application/vnd.openxmlformats-officedocument.customXmlProperties+xml application/vnd.ms-word.stylesWithEffects+xml
    application/vnd.ms-excel.controlproperties+xml application/vnd.ms-excel.slicer+xml application/vnd.ms-excel.slicerCache+xml
    application/vnd.ms-excel.timeline+xml application/vnd.ms-excel.timelineCache+xml application/vnd.ms-excel.threadedcomments+xml
    application/vnd.ms-excel.person+xml application/vnd.ms-powerpoint.comments+xml application/vnd.ms-powerpoint.authors+xml
    application/vnd.ms-office.chartstyle+xml application/vnd.ms-office.chartcolorstyle+xml application/vnd.ms-office.chartex+xml
    application/vnd.ms-office.drawingml.diagramDrawing+xml application/vnd.ms-office.classificationlabels+xml
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet application/vnd.openxmlformats-officedocument.spreadsheetml.template
    image/png image/jpeg image/gif image/bmp image/tiff image/svg+xml image/x-emf image/x-wmf
    """.split()
)
_FORBIDDEN_NAMES: Final = re.compile(
    r"vbaproject|macrosheet|dialogsheet|activex|oleobject|customui|webextension|\.bin$|\.\.|\\", re.IGNORECASE
)
_RELATIONSHIP_TYPE: Final = re.compile(
    r"vba|macro|dialogsheet|oleobject|control$|activex|afchunk|subdocument|template|frame|mailmerge|external|connection|querytable|webext"
    r"|audio|video|media$|font$|printer|thumbnail|signature|origin",
    re.IGNORECASE,
)
_TYPE_SPACES: Final = (
    "http://schemas.openxmlformats.org/", "http://purl.oclc.org/ooxml/", "http://schemas.microsoft.com/office/",
)  # fmt: skip
_XML: Final = (".xml", ".rels", ".vml")
TYPES_PART: Final = "[Content_Types].xml"

codecs.lookup("cp437")   # zipfile reads old names by it; loaded before the jail closes


class Link(NamedTuple):
    """One relationship of the output."""

    type: str
    target: str
    external: bool


class Package(NamedTuple):
    """Parts by name, content types by part name or "." and extension, relationships by the name of their own part, then by id."""

    parts: dict[str, bytes]
    types: dict[str, str]
    links: dict[str, dict[str, Link]]


def read(data: bytes) -> Package:
    """Raises VerificationFailed for anything but a plain ZIP of known parts that all hang together."""
    parts = _parts(data)
    links = {name: _relationships(content) for name, content in parts.items() if name.endswith(".rels")}
    return Package(parts, _content_types(parts), links)


def check(package: Package, schemes: tuple[str, ...]) -> None:
    """Raises VerificationFailed for a foreign name, type, content, target or main part, and for a part that nothing reaches."""
    for name in package.parts:
        _check_part(name, package.types)
    for rels, found in package.links.items():
        _check_links(rels, found, package.parts, schemes)
    _check_reached(package.parts, package.links)
    _check_main(package)


def is_xml(name: str) -> bool:
    return name.endswith(_XML)


def relationships_of(name: str, package: Package) -> dict[str, Link]:
    folder, base = posixpath.split(name)
    return package.links.get(posixpath.join(folder, "_rels", f"{base}.rels"), {})


def _parts(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            names = {info.filename.lower() for info in listed}
            if len(names) != len(listed) or archive.comment or any(info.extra or info.comment for info in listed):
                raise VerificationFailed("two parts of one name, comments or extra fields")
            _check_layout(data, listed)
            return {info.filename: archive.read(info) for info in listed}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise VerificationFailed(f"zipfile: {error}") from None


def _check_layout(data: bytes, listed: list[zipfile.ZipInfo]) -> None:
    """Member after member from the first byte, each said alike by its own record and by the directory, which ends the file."""
    at = 0
    for info in listed:
        if len(data) < at + 30:
            raise VerificationFailed("the ZIP ends within a member")
        signature, flags, method, crc, packed, size, named, extra = struct.unpack_from("<4s2x2H4x3I2H", data, at)
        said = (info.flag_bits, info.compress_type, info.CRC, info.compress_size, info.file_size)
        if signature != b"PK\x03\x04" or info.header_offset != at or (flags, method, crc, packed, size) != said or extra or flags & ~0x0800:
            raise VerificationFailed(f"two records of {info.filename} disagree, or a gap before it")
        at += 30 + named + packed
    end, size, start = struct.unpack_from("<4s8x2I", data, len(data) - 22)
    if end != b"PK\x05\x06" or start != at or start + size + 22 != len(data):
        raise VerificationFailed("not a plain ZIP from its first byte to its last")


def _check_part(name: str, types: dict[str, str]) -> None:
    if _FORBIDDEN_NAMES.search(name) or name.startswith("/"):
        raise VerificationFailed(f"name of a part: {name}")
    if name != TYPES_PART and types.get(name, types.get("." + name.rpartition(".")[2])) not in _OFFICE_TYPES | _OTHER_TYPES:
        raise VerificationFailed(f"content type of {name}")


def _relationships(content: bytes) -> dict[str, Link]:
    found: dict[str, Link] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == "Relationship":
            if attributes["Id"] in found:
                raise VerificationFailed("a relationship id twice")
            found[attributes["Id"]] = Link(attributes["Type"], attributes["Target"], attributes.get("TargetMode") == "External")

    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = start
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, KeyError) as error:
        raise VerificationFailed(f"relationships: {error}") from None
    return found


def _content_types(parts: dict[str, bytes]) -> dict[str, str]:
    """Part name, or "." and extension → content type."""
    found: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Default":
            found["." + attributes["Extension"]] = attributes["ContentType"]
        elif tag == "Override":
            found[attributes["PartName"].removeprefix("/")] = attributes["ContentType"]

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    try:
        parser.Parse(parts.get("[Content_Types].xml", b""), True)
    except (expat.ExpatError, KeyError) as error:
        raise VerificationFailed(f"content types: {error}") from None
    if missing := [name for name in found if not name.startswith(".") and name not in parts]:
        raise VerificationFailed(f"content type of {missing[0]}, which is not there")
    return found


def _check_links(rels: str, found: dict[str, Link], parts: dict[str, bytes], schemes: tuple[str, ...]) -> None:
    for link in found.values():
        if not link.type.startswith(_TYPE_SPACES) or _RELATIONSHIP_TYPE.search(link.type.rpartition("/")[2]):
            raise VerificationFailed(f"relationship {link.type} in {rels}")
        if link.external or link.target.startswith("#"):
            if not link.type.endswith("/hyperlink") or not ooxml_calls.leads_nowhere_else(link.target.encode(), schemes):
                raise VerificationFailed(f"external target in {rels}")
        elif _target(rels, link) not in parts:
            raise VerificationFailed(f"target {link.target} of {rels} is missing")


def _check_reached(parts: dict[str, bytes], links: dict[str, dict[str, Link]]) -> None:
    """Every part is the target of a relationship, and every list of relationships belongs to a part."""
    targets = {_target(rels, link) for rels, found in links.items() for link in found.values() if not link.external}
    for name in parts:
        if name.endswith(".rels"):
            owner = name.replace("_rels/", "").removesuffix(".rels")
            if name != "_rels/.rels" and owner not in parts:
                raise VerificationFailed(f"{name} belongs to no part")
        elif name != "[Content_Types].xml" and name not in targets:
            raise VerificationFailed(f"nothing refers to {name}")


def _check_main(package: Package) -> None:
    top = [link for link in package.links.get("_rels/.rels", {}).values() if link.type.endswith("/officeDocument")]
    main = package.types.get(_target("_rels/.rels", top[0])) if len(top) == 1 else None
    if main is None or not main.endswith(tuple(f"{name}+xml" for name in MAIN.values())):
        raise VerificationFailed("no main part of a plain kind")


def _target(rels: str, link: Link) -> str:
    folder = posixpath.dirname(posixpath.dirname(rels))
    return posixpath.normpath(posixpath.join("/", folder, link.target)).lstrip("/")
