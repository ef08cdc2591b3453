"""The second opinion on OpenDocument packages: zipfile, expat and plain searches over the written bytes."""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import struct
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source

_MIMETYPES: Final = {
    b"application/vnd.oasis.opendocument." + name + ending
    for name in (b"text", b"spreadsheet", b"presentation", b"graphics")
    for ending in (b"", b"-template")
}
_MEMBER: Final = re.compile(
    r"mimetype|META-INF/manifest\.xml|(?:meta|settings)\.xml|(?:[\w .-]{1,60}/){0,8}(?:content|styles)\.xml"
    r"|Pictures/[\w-]{1,100}\.(?:png|jpeg|gif|bmp|tiff|svg|webp)"
)
_FORBIDDEN_ELEMENTS: Final = frozenset(
    """
    event-listener event-listeners object-ole plugin applet floating-frame sound audio video dde-source dde-connection
    dde-connection-decl dde-link execute-macro database-source-query database-source-sql database-source-table source-service
    section-source table-source cell-range-source connection-resource error-macro binary-data script auto-reload template library
    command alphabetical-index-auto-mark-file
    """.split()
)
_TAG: Final = re.compile(rb"<([^\s/>!?]+)")
_HREF: Final = re.compile(rb'<([^\s/>]+)(?=\s)[^<>]*\s[\w-]+:href="([^"]*)"')
_SPACE: Final = re.compile(rb'\sxmlns(?::[^\s=]+)?="([^"]*)"')
_KNOWN_SPACE: Final = re.compile(
    rb"urn:oasis:names:tc:opendocument:|urn:org:documentfoundation:|urn:openoffice:names:|http://www\.w3\.org/|http://purl\.org/dc/elements"
    rb"|http://openoffice\.org/|http://(?:schemas\.)?microsoft\.com/|http://docs\.oasis-open\.org/"
)
_FORMULA: Final = re.compile(rb'(?:formula|expression|condition)="([^"]*)"')
_FORBIDDEN_FORMULA: Final = re.compile(rb"(?<![\w.])(?:DDE|WEBSERVICE|FILTERXML|CALL|REGISTER|RTD|IMAGE)\s*\(|'#|file:|://", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_FOREIGN: Final = (b"\xd0\xcf\x11\xe0", b"MZ", b"\x7fELF", b"PK", b"%PDF", b"{\\rtf")


codecs.lookup("cp437")   # zipfile reads old names by it; loaded before the jail closes


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything active, foreign, dangling or lost."""
    data = output.bytes()
    media_type = _stored_mimetype(data)
    members = _members(data)
    listed = _manifest(members, media_type)
    for name, content in members.items():
        if not _MEMBER.fullmatch(name):
            raise VerificationFailed(f"member {name}")
        if name.endswith(".xml"):
            _check_xml(name, content, members, listed, context.treatment.link_schemes)
        elif name != "mimetype" and content.startswith(_FOREIGN):
            raise VerificationFailed(f"foreign content in {name}")
    _compare(members, original)


def _stored_mimetype(data: bytes) -> bytes:
    """The first member is the media type, stored, so that the bytes alone tell the kind (ODF 1.3 part 2 §3.3)."""
    method, = struct.unpack_from("<H", data, 8)
    size, named, extra = struct.unpack_from("<IHH", data, 22)
    found = data[30 + named : 30 + named + size]
    if data[:4] != b"PK\x03\x04" or data[30 : 30 + named] != b"mimetype" or method or extra or found not in _MIMETYPES:
        raise VerificationFailed("mimetype is not the first member, stored")
    if data[-22:-18] != b"PK\x05\x06":
        raise VerificationFailed("something stands behind the end")
    return found


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            names = {info.filename.lower() for info in listed}
            if len(names) != len(listed) or archive.comment or any(info.extra or info.comment for info in listed):
                raise VerificationFailed("two members of one name, comments or extra fields")
            return {info.filename: archive.read(info) for info in listed}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise VerificationFailed(f"zipfile: {error}") from None


def _manifest(members: dict[str, bytes], media_type: bytes) -> dict[str, str]:
    listed: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "manifest:file-entry":
            listed[attributes["manifest:full-path"]] = attributes["manifest:media-type"]
        elif tag != "manifest:manifest":
            raise VerificationFailed(f"{tag} in the manifest")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    try:
        parser.Parse(members.get("META-INF/manifest.xml", b""), True)
    except (expat.ExpatError, KeyError) as error:
        raise VerificationFailed(f"manifest: {error}") from None
    files = {name for name in listed if not name.endswith("/")}
    if files != set(members) - {"mimetype", "META-INF/manifest.xml"} or listed.get("/") != media_type.decode():
        raise VerificationFailed("the manifest does not list what is there")
    return listed


def _check_xml(name: str, content: bytes, members: dict[str, bytes], listed: dict[str, str], schemes: tuple[str, ...]) -> None:
    _prove_plain(name, content)
    if bad := {tag.rpartition(b":")[2].decode("utf-8", "replace") for tag in set(_TAG.findall(content))} & _FORBIDDEN_ELEMENTS:
        raise VerificationFailed(f"{min(bad)} in {name}")
    if strange := [uri for uri in set(_SPACE.findall(content)) if not _KNOWN_SPACE.match(uri)]:
        raise VerificationFailed(f"namespace {strange[0][:100]!r} in {name}")
    for formula in set(_FORMULA.findall(content)):
        if _FORBIDDEN_FORMULA.search(re.sub(rb"&quot;.*?&quot;", b"", formula)):
            raise VerificationFailed(f"formula in {name}: {formula[:80]!r}")
    for tag, target in set(_HREF.findall(content)):
        text = target.replace(b"&amp;", b"&").decode("utf-8", "replace")
        if not (_is_link(tag, text, schemes) or _is_inside(name, text, members, listed)):
            raise VerificationFailed(f"target {text[:100]} in {name}")


def _is_link(tag: bytes, target: str, schemes: tuple[str, ...]) -> bool:
    """A web link or a place in the document, on an element that links rather than loads."""
    if tag not in (b"text:a", b"draw:a", b"form:button", b"form:image"):
        return False
    scheme = _SCHEME.match(target)
    return target.startswith("#") or (scheme is not None and scheme[1].lower() in schemes)


def _is_inside(name: str, target: str, members: dict[str, bytes], listed: dict[str, str]) -> bool:
    path = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), target)).lstrip("/")
    return not _SCHEME.match(target) and (path in members or f"{path}/" in listed)


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


def _compare(members: dict[str, bytes], original: Source) -> None:
    """Cells are all there, and most of the text."""
    try:
        with zipfile.ZipFile(io.BytesIO(original.bytes())) as archive:
            given = archive.read("content.xml")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError, KeyError):
        return   # zipfile is stricter than we are in details that do not matter here
    made = members["content.xml"]
    if given.startswith(b"<") and len(re.findall(rb"<\w+:table-cell[\s/>]", given)) != len(re.findall(rb"<\w+:table-cell[\s/>]", made)):
        raise VerificationFailed("cells are lost")
    before, after = _text_length(given), _text_length(made)
    if given.startswith(b"<") and after < before * 0.5:
        raise VerificationFailed(f"text is lost: {before} bytes before, {after} after")


def _text_length(content: bytes) -> int:
    """Bytes of text in paragraphs, headings and spans."""
    return sum(len(text) for text in re.findall(rb"<(?:text:(?:p|h|span|a|s|tab|ruby-base|ruby-text))[^<>]*>([^<]+)", content))


VERIFIERS: Final = dict.fromkeys((Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG), verify)
