"""The second opinion on Office packages: zipfile, expat and plain searches over the written bytes; nothing of the code that wrote them.

expat proves each part well-formed, without DTD, comment, instruction or CDATA. After that every "<" begins a tag, so the names of all
elements and the ids of all references can be read off the bytes.
"""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import zipfile
import zlib
from typing import Final, NamedTuple
from xml.parsers import expat

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source

_MAIN: Final = {
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
_FORBIDDEN_ELEMENTS: Final = frozenset(
    """
    OLEObject oleObj oleObject oleObjects objectPr object ocx altChunk subDoc attachedTemplate mailMerge frameset movie audioCd audioFile
    quickTimeFile videoFile wavAudioFile snd sndAc ddeLink ddeItem oleLink externalBook externalReference connection dbPr webPr
    DataMashup FmlaMacro ScriptText entryMacro exitMacro functionGroup webextension webextensionref taskpane embedRegular embeddedFont
    custData docVar saveThroughXslt htmlPubPr webPublishItem AlternateContent macrosheet dialogsheet customUI cmd contentPart fldData script
    """.split()
)
_FORBIDDEN_NAMES: Final = re.compile(
    r"vbaproject|macrosheet|dialogsheet|activex|oleobject|customui|webextension|\.bin$|\.\.|\\", re.IGNORECASE
)
_FORBIDDEN_FIELD: Final = re.compile(
    rb"(?:DDE|DDEAUTO|INCLUDE\w*|LINK|IMPORT|EMBED|DATABASE|MACROBUTTON|AUTOTEXT\w*|QUOTE|HTMLCONTROL|CONTROL)(?=[\x00-\x20\\\"]|$)",
    re.IGNORECASE,
)
_FORBIDDEN_FORMULA: Final = re.compile(
    rb"(?<![\w.])(?:CALL|REGISTER(?:\.ID)?|EXEC|RTD|WEBSERVICE|FILTERXML|IMAGE|SQL\.REQUEST)\s*\(|\|.{0,200}!|(?:^|[^\w\])'])\[\d+\]",
    re.IGNORECASE,
)
_RELATIONSHIP_TYPE: Final = re.compile(
    r"vba|macro|dialogsheet|oleobject|control$|activex|afchunk|subdocument|template|frame|mailmerge|external|connection|querytable|webext"
    r"|audio|video|media$|font$|printer|thumbnail|signature|origin",
    re.IGNORECASE,
)
_ACTION: Final = re.compile(rb'\saction="ppaction://(?:program|macro|ole|hlinkfile|hlinkpres|media)', re.IGNORECASE)
_CLICK_MACRO: Final = re.compile(rb'<[^<>]*\smacro="[^"]')
_TAG: Final = re.compile(rb"<([^\s/>!?]+)")
_SPACE: Final = re.compile(rb'\sxmlns(?::([^\s=]+))?="([^"]*)"')
_RELATIONSHIPS_SPACE: Final = (
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_KNOWN_SPACE: Final = re.compile(
    rb"http://schemas\.openxmlformats\.org/|http://purl\.oclc\.org/ooxml/|http://schemas\.microsoft\.com/office/|urn:schemas-microsoft-com:"
    rb"|http://purl\.org/dc/|http://www\.w3\.org/|http://schemas\.libreoffice\.org/"
)
_EXECUTABLE: Final = (b"\xd0\xcf\x11\xe0", b"MZ", b"\x7fELF", b"%PDF", b"{\\rtf", b"\x4c\0\0\0\x01\x14\x02")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class _Link(NamedTuple):
    """One relationship of the output."""

    type: str
    target: str
    external: bool


codecs.lookup("cp437")   # zipfile reads old names by it; loaded before the jail closes


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything active, foreign, dangling or lost."""
    data = output.bytes()
    if data[:4] != b"PK\x03\x04" or data[-22:-18] != b"PK\x05\x06":
        raise VerificationFailed("not a plain ZIP from its first byte to its last")
    parts = _parts(data)
    types = _content_types(parts)
    links = {name: _relationships(content) for name, content in parts.items() if name.endswith(".rels")}
    for name, content in parts.items():
        _check_part(name, content, types, links)
    for rels, found in links.items():
        _check_links(rels, found, parts, context.treatment.link_schemes)
    _check_reached(parts, links)
    _check_main(parts, types, links)
    _compare(parts, original)


def _parts(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            names = {info.filename.lower() for info in listed}
            if len(names) != len(listed) or archive.comment or any(info.extra or info.comment for info in listed):
                raise VerificationFailed("two parts of one name, comments or extra fields")
            return {info.filename: archive.read(info) for info in listed}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise VerificationFailed(f"zipfile: {error}") from None


def _check_part(name: str, content: bytes, types: dict[str, str], links: dict[str, dict[str, _Link]]) -> None:
    if _FORBIDDEN_NAMES.search(name) or name.startswith("/"):
        raise VerificationFailed(f"name of a part: {name}")
    if name == "[Content_Types].xml" or name.endswith((".xml", ".rels", ".vml")):
        _check_xml(name, content, links)
    elif content.startswith(_EXECUTABLE):
        raise VerificationFailed(f"foreign content in {name}")
    if name != "[Content_Types].xml" and types.get(name, types.get("." + name.rpartition(".")[2])) not in _OFFICE_TYPES | _OTHER_TYPES:
        raise VerificationFailed(f"content type of {name}")


def _check_xml(name: str, content: bytes, links: dict[str, dict[str, _Link]]) -> None:
    _prove_plain(name, content)
    if name.startswith("customXml/item"):
        return
    tags = set(_TAG.findall(content))
    if bad := {tag.rpartition(b":")[2].decode("utf-8", "replace") for tag in tags} & _FORBIDDEN_ELEMENTS:
        raise VerificationFailed(f"{min(bad)} in {name}")
    spaces = set(_SPACE.findall(content))
    if strange := [uri for _, uri in spaces if uri and not _KNOWN_SPACE.match(uri)]:
        raise VerificationFailed(f"namespace {strange[0][:100]!r} in {name}")
    if _ACTION.search(content) or _CLICK_MACRO.search(content):
        raise VerificationFailed(f"action in {name}")
    _check_instructions(name, content)
    known = links.get(_rels_name(name), {})
    for prefix in {prefix for prefix, uri in spaces if uri in _RELATIONSHIPS_SPACE and prefix}:
        pattern = re.compile(rb"\s" + re.escape(prefix) + rb':[A-Za-z]+="([^"]*)"')
        for tag in re.finditer(rb"<[^<>]*\s" + re.escape(prefix) + rb":[^<>]*>", content):
            for identity in pattern.findall(tag[0]):
                if identity and identity.decode("utf-8", "replace") not in known:
                    raise VerificationFailed(f"reference {identity!r} in {name} leads nowhere")


def _prove_plain(name: str, content: bytes) -> None:
    def refuse(*_: object) -> None:
        raise VerificationFailed(f"doctype, comment, instruction or CDATA in {name}")

    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = refuse
    parser.CommentHandler = refuse
    parser.ProcessingInstructionHandler = refuse
    parser.StartCdataSectionHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise VerificationFailed(f"expat: {error} in {name}") from None


def _check_instructions(name: str, content: bytes) -> None:
    """Field instructions, put together over the runs of a paragraph, and formulas."""
    if b"instrText" in content or b"fldSimple" in content:
        for paragraph in re.split(rb"</(?:\w+:)?p>", content):
            pieces = re.findall(rb"<(?:\w+:)?(?:instrText|delInstrText)(?:\s[^>]*)?>([^<]*)<", paragraph)
            simple = re.findall(rb'\s(?:\w+:)?instr="([^"]*)"', paragraph)
            if any(_FORBIDDEN_FIELD.match(text.lstrip()) for text in (b"".join(pieces), *pieces, *simple)):
                raise VerificationFailed(f"field in {name}")
    if name.startswith("xl/"):
        for formula in set(re.findall(rb"<(?:\w+:)?(?:f|definedName|formula1?2?)(?:\s[^>]*)?>([^<]*)<", content)):
            if _FORBIDDEN_FORMULA.search(re.sub(rb'"[^"]*"', b'""', formula.replace(b"&quot;", b'"'))):
                raise VerificationFailed(f"formula in {name}: {formula[:80]!r}")


def _relationships(content: bytes) -> dict[str, _Link]:
    found: dict[str, _Link] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == "Relationship":
            if attributes["Id"] in found:
                raise VerificationFailed("a relationship id twice")
            found[attributes["Id"]] = _Link(attributes["Type"], attributes["Target"], attributes.get("TargetMode") == "External")

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


def _check_links(rels: str, found: dict[str, _Link], parts: dict[str, bytes], schemes: tuple[str, ...]) -> None:
    for link in found.values():
        if _RELATIONSHIP_TYPE.search(link.type.rpartition("/")[2]):
            raise VerificationFailed(f"relationship {link.type} in {rels}")
        if link.external or link.target.startswith("#"):
            scheme = _SCHEME.match(link.target)
            if not link.type.endswith("/hyperlink") or not (link.target.startswith("#") or (scheme and scheme[1].lower() in schemes)):
                raise VerificationFailed(f"external target in {rels}")
        elif _target(rels, link) not in parts:
            raise VerificationFailed(f"target {link.target} of {rels} is missing")


def _check_reached(parts: dict[str, bytes], links: dict[str, dict[str, _Link]]) -> None:
    """Every part is the target of a relationship, and every list of relationships belongs to a part."""
    targets = {_target(rels, link) for rels, found in links.items() for link in found.values() if not link.external}
    for name in parts:
        if name.endswith(".rels"):
            owner = name.replace("_rels/", "").removesuffix(".rels")
            if name != "_rels/.rels" and owner not in parts:
                raise VerificationFailed(f"{name} belongs to no part")
        elif name != "[Content_Types].xml" and name not in targets:
            raise VerificationFailed(f"nothing refers to {name}")


def _check_main(parts: dict[str, bytes], types: dict[str, str], links: dict[str, dict[str, _Link]]) -> None:
    top = [link for link in links.get("_rels/.rels", {}).values() if link.type.endswith("/officeDocument")]
    main = types.get(_target("_rels/.rels", top[0])) if len(top) == 1 else None
    if main is None or not main.endswith(tuple(f"{name}+xml" for name in _MAIN.values())) or not parts:
        raise VerificationFailed("no main part of a plain kind")


def _target(rels: str, link: _Link) -> str:
    folder = posixpath.dirname(posixpath.dirname(rels))
    return posixpath.normpath(posixpath.join("/", folder, link.target)).lstrip("/")


def _rels_name(name: str) -> str:
    folder, base = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def _compare(parts: dict[str, bytes], original: Source) -> None:
    """Cells are all there, and most of the text: some of it stood twice in the input, for readers of two generations."""
    if original.head(4) != b"PK\x03\x04":
        return   # it was encrypted
    lost: list[str] = []
    before = after = 0
    try:
        with zipfile.ZipFile(io.BytesIO(original.bytes())) as archive:
            for info in archive.infolist():
                name = info.filename.replace("\\", "/")
                if name not in parts or not name.endswith(".xml") or name.startswith(("docProps/", "customXml/", "[")):
                    continue
                given = archive.read(info)
                before, after = before + _text_length(given), after + _text_length(parts[name])
                if name.startswith("xl/worksheets/") and _cells(given) != _cells(parts[name]):
                    lost.append(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError):
        return   # zipfile is stricter than we are in details that do not matter here
    if lost:
        raise VerificationFailed(f"cells of {lost[0]} are lost")
    if after < before * 0.4:
        raise VerificationFailed(f"text is lost: {before} bytes before, {after} after")


def _text_length(content: bytes) -> int:
    return sum(map(len, re.findall(rb"<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)</", content)))


def _cells(content: bytes) -> int:
    return len(re.findall(rb"<(?:\w+:)?c[\s/>]", content)) if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else -1


VERIFIERS: Final = dict.fromkeys(_MAIN, verify)
