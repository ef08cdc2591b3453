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
from sanitizers.verify import spelled
from sanitizers.verify.parts import Parts

_MIMETYPES: Final = {
    b"application/vnd.oasis.opendocument." + name + ending
    for name in (b"text", b"spreadsheet", b"presentation", b"graphics")
    for ending in (b"", b"-template")
} | {b"application/vnd.oasis.opendocument.formula"}
_MEMBER: Final = re.compile(
    r"mimetype|META-INF/manifest\.xml|(?:meta|settings)\.xml|(?:[\w .-]{1,60}/){0,8}(?:content|styles)\.xml"
    r"|Pictures/[\w-]{1,100}\.(?:png|jpeg|gif|bmp|tiff|svg|webp|emf|wmf)"
)
_FORBIDDEN_ELEMENTS: Final = frozenset(
    """
    event-listener event-listeners object-ole plugin applet floating-frame sound audio video dde-source dde-connection
    dde-connection-decl dde-link execute-macro database-source-query database-source-sql database-source-table source-service
    section-source table-source cell-range-source connection-resource error-macro binary-data script auto-reload template library
    command alphabetical-index-auto-mark-file font-face-src definition-src connection-resource model
    """.split()
)
_URN: Final = b"urn:oasis:names:tc:opendocument:xmlns:"
_LINKING: Final = {
    _URN + b"text:1.0": (b"a",),
    _URN + b"drawing:1.0": (b"a", b"area-rectangle", b"area-circle", b"area-polygon"),
    _URN + b"form:1.0": (b"button", b"image"),
    _URN + b"chart:1.0": (b"chart",),
}
_HREF: Final = re.compile(rb'<([^\s/>]+)(?=\s)[^<>]*\s[\w-]+:href="([^"]*)"')
_KNOWN_SPACE: Final = re.compile(
    rb"urn:oasis:names:tc:opendocument:|urn:org:documentfoundation:|urn:openoffice:names:|http://www\.w3\.org/|http://purl\.org/dc/elements"
    rb"|http://openoffice\.org/|http://(?:schemas\.)?microsoft\.com/|http://docs\.oasis-open\.org/"
)
_FORMULAS: Final = {name: re.compile(name + rb'="([^"]*)"') for name in (b"formula", b"expression", b"condition")}
_FORBIDDEN_FORMULA: Final = re.compile(rb"(?<![\w.])(?:DDE|WEBSERVICE|FILTERXML|CALL|REGISTER|RTD|IMAGE)\s*\(|'#|file:|://", re.IGNORECASE)
_SELF_OPENING: Final = re.compile(rb'<(?:[\w.-]+:)?(?:a|area-[a-z]+|button)\s[^<>]*actuate="onLoad"')
_COMMAND: Final = re.compile(rb'="\s*(?:macro:|vnd\.sun\.star\.|javascript:|service:)', re.IGNORECASE)
_CELL: Final = re.compile(rb"<\w+:table-cell[\s/>]")
_TEXT: Final = re.compile(rb"<(?:text:(?:p|h|span|a|s|tab|ruby-base|ruby-text))(?:\s[^<>]*)?>([^<]+)")
_PASSING: Final = re.compile(rb"<(/?)\w+:(?:dde-links|tracked-changes|annotation)(?=[\s/>])[^<>]*>")
_PASSING_WORDS: Final = (b":dde-links", b":tracked-changes", b":annotation")
_LEAST: Final = 0.5     # of the text
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


codecs.lookup("cp437")   # zipfile reads old names by it; loaded before the jail closes


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything active, foreign, dangling or lost."""
    data = output.bytes()
    media_type = _stored_mimetype(data)
    members = _members(data)
    listed = _manifest(members, media_type)
    parts = Parts(context)
    for name, content in members.items():
        if not _MEMBER.fullmatch(name):
            raise VerificationFailed(f"member {name}")
        if name.endswith(".xml"):
            _check_xml(name, content, members, listed, context.treatment.link_schemes)
        elif name != "mimetype":
            parts.check(content, name)
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
    spelled.prove_plain(name, content)
    names = spelled.names(content)
    if bad := {tag.rpartition(b":")[2].decode("utf-8", "replace") for tag in names.elements} & _FORBIDDEN_ELEMENTS:
        raise VerificationFailed(f"{min(bad)} in {name}")
    bound = spelled.spaces(content)
    if strange := [uri for _, uri in bound if not _KNOWN_SPACE.match(uri)]:
        raise VerificationFailed(f"namespace {strange[0][:100]!r} in {name}")
    if b'"onLoad"' in content and (active := _SELF_OPENING.search(content)):
        raise VerificationFailed(f"{active[0][:80]!r} in {name}")
    if any(not content.endswith(b"office:string-value", 0, command.start()) for command in _COMMAND.finditer(content)):
        raise VerificationFailed(f"command in {name}")
    patterns = (pattern for attribute, pattern in _FORMULAS.items() if names.has_attribute(attribute))
    for formula in set[bytes]().union(*(pattern.findall(content) for pattern in patterns)):
        if _FORBIDDEN_FORMULA.search(re.sub(rb"&quot;.*?&quot;", b"", formula)):
            raise VerificationFailed(f"formula in {name}: {formula[:80]!r}")
    linking = {prefix + b":" + local for prefix, uri in bound for local in _LINKING.get(uri, ())}
    linking -= {tag for tag in linking if len({uri for prefix, uri in bound if tag.startswith(prefix + b":")}) > 1}
    for tag, target in set(_HREF.findall(content) if b'href="' in content else ()):
        text = target.replace(b"&amp;", b"&").decode("utf-8", "replace")
        if not ((tag in linking and _is_link(tag, text, schemes)) or _is_inside(name, text, members, listed)):
            raise VerificationFailed(f"target {text[:100]} in {name}")


def _is_link(tag: bytes, target: str, schemes: tuple[str, ...]) -> bool:
    """A web link or a place in the document; of a chart, the document that it stands in."""
    if tag.endswith(b":chart"):
        return target in ("..", ".", "")
    scheme = _SCHEME.match(target)
    return target.startswith("#") or (scheme is not None and scheme[1].lower() in schemes)


def _is_inside(name: str, target: str, members: dict[str, bytes], listed: dict[str, str]) -> bool:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return not _SCHEME.match(target) and (path in members or f"{path}/" in listed)


def _compare(members: dict[str, bytes], original: Source) -> None:
    """Cells are all there, and most of the text. What policy or DDE may take away with it is not counted on either side."""
    given = original.bytes()
    flat = given[:100].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")
    made = b"".join(content for name, content in members.items() if name.endswith(".xml")) if flat else members["content.xml"]
    if not flat:
        given = _content(given)
    if not given.startswith(b"<") and not flat:
        return      # locked, or in an encoding that a plain search cannot read
    if any(word in given for word in _PASSING_WORDS):
        given, made = _lasting(given), _lasting(made)
    head, head_made = spelled.unlike(given, made)       # what is alike needs no counting
    if len(_CELL.findall(head)) != len(_CELL.findall(head_made)):
        raise VerificationFailed("cells are lost")
    if _text_length(head_made) >= _text_length(head) * _LEAST:
        return
    before, after = _text_length(given), _text_length(made)
    if after < before * _LEAST:
        raise VerificationFailed(f"text is lost: {before} bytes before, {after} after")


def _content(package: bytes) -> bytes:
    """Empty where zipfile is stricter than we are in details that do not matter here."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            return archive.read("content.xml")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, KeyError):
        return b""


def _lasting(content: bytes) -> bytes:
    """Without the branches that policy or DDE may take away."""
    pieces: list[bytes] = []
    depth = start = 0
    for tag in _PASSING.finditer(content):
        if tag[0].endswith(b"/>"):
            continue
        if depth == 0 and not tag[1]:
            pieces.append(content[start : tag.start()])
        depth = max(depth + (-1 if tag[1] else 1), 0)
        start = tag.end() if depth == 0 else start
    return b"".join((*pieces, content[start:] if depth == 0 else b""))


def _text_length(content: bytes) -> int:
    """Bytes of text in paragraphs, headings and spans."""
    return sum(map(len, _TEXT.findall(content)))


VERIFIERS: Final = dict.fromkeys((Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG, Kind.ODF), verify)
