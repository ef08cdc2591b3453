"""Text kinds: is it text at all, and which. Only here may a name choose, among kinds that differ in nothing but the name."""

from __future__ import annotations

import re
from typing import Final

from sanitizers import charset, names
from sanitizers.model import Kind
from sanitizers.source import Source

_HEAD: Final = 64 << 10
_BINARY: Final = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL: Final = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_HEADER: Final = re.compile(rb"[!-9;-~]{1,76}[ \t]*:")
_SEPARATOR: Final = re.compile(rb"\r?\n\r?\nFrom \S+ .*\r?\n[!-9;-~]{1,76}:")
_MAIL_HEADERS: Final = re.compile(
    rb"^(?:received|from|to|cc|subject|date|message-id|mime-version|return-path|content-type|delivered-to|reply-to|x-[a-z-]+|dkim-signature)"
    rb"[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_HTML: Final = re.compile(r"<(?:!doctype\s+html|html|head|body|script|iframe|meta\s|title|table|div|form|a\s+href|p>|br\s*/?>)", re.IGNORECASE)
_XML_ROOT: Final = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]")
_ROOTS: Final[dict[str, Kind]] = {"svg": Kind.SVG, "html": Kind.HTML, "package": Kind.FLAT_OPC, "worddocument": Kind.WORD2003XML}
_SCRIPT: Final = re.compile(
    r"\A#!|<%@|^\s*(?:@echo\s+off|On\s+Error\s+Resume\s+Next|Option\s+Explicit)\b|\bWScript\.|\bCreateObject\s*\(|\bActiveXObject\s*\(|"
    r"\bInvoke-Expression\b|\bNew-Object\s+(?:System\.)?Net\.WebClient",
    re.IGNORECASE | re.MULTILINE,
)
_BY_NAME: Final = {"csv": Kind.CSV, "tsv": Kind.CSV}


def by_text(source: Source, name: str) -> Kind | None:
    """A text kind, or None if these bytes are not text."""
    head = source.head(_HEAD)
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stripped[:5].lower() in (b"{\\rtf", b"{\\rt\\", b"{\\rt{") or stripped[:4].lower() == b"{\\rt":
        return Kind.RTF
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not wide and _BINARY.search(head) and not _wide_without_mark(head):
        return None
    if not wide and (kind := _by_header(stripped)):
        return kind
    decoded = charset.decode(head)
    if _CONTROL.search(decoded.text) or decoded.replaced > max(2, len(decoded.text) // 50):
        return None
    return _by_content(decoded.text.lstrip("\ufeff \t\r\n"), names.extension(name))


def _wide_without_mark(head: bytes) -> bool:
    return len(head) > 8 and (head[1::2].count(0) > len(head) // 3 or head[::2].count(0) > len(head) // 3)


def _by_header(head: bytes) -> Kind | None:
    """Mail and web archives begin with a block of header fields."""
    if head.startswith(b"From ") and b"\n" in head[:1000] and _HEADER.match(head.split(b"\n", 1)[1]):
        # One mail that some program saved with its mbox separator, or a whole box.
        return Kind.MBOX if _SEPARATOR.search(head) else Kind.EML
    block = re.split(rb"\r?\n\r?\n", head[:16_384], maxsplit=1)[0]
    if not _HEADER.match(block):
        return None
    known = {match[0].lower().rstrip(b": \t") for match in _MAIL_HEADERS.finditer(block)}
    lines = [line for line in re.split(rb"\r?\n", block) if line and line[:1] not in b" \t"]
    fields = sum(bool(_HEADER.match(line)) for line in lines)
    if len(known) < 2 or fields * 10 < len(lines) * 8:
        return None
    is_archive = b"multipart/related" in block.lower() and b"received" not in known and not known & {b"to", b"message-id", b"return-path"}
    return Kind.MHT if is_archive else Kind.EML


def _by_content(text: str, extension: str) -> Kind:
    for mark, kind in (("BEGIN:VCALENDAR", Kind.ICS), ("BEGIN:VCARD", Kind.VCF), ("ID;P", Kind.SLK), ("[InternetShortcut]", Kind.URL)):
        if text[:64].upper().startswith(mark.upper()):
            return kind
    if text.startswith("ISO-10303-21;"):
        return Kind.SFC if "SCADEC" in text[:8192] and extension == "sfc" else Kind.P21
    if re.match(r"(?:999\r?\n.*\r?\n)*\s*0\r?\n\s*SECTION\r?\n", text):
        return Kind.DXF
    if text.startswith("<") and (kind := _markup(text)):
        return kind
    if _HTML.match(text) or (extension in ("html", "htm") and _HTML.search(text[:4096])):
        return Kind.HTML
    if _SCRIPT.search(text[:8192]):
        return Kind.SCRIPT
    if extension in ("json", "geojson") and text[:1] in "{[":
        return Kind.JSON
    return _BY_NAME.get(extension, Kind.TEXT)


def _markup(text: str) -> Kind | None:
    """XML by its root element; HTML by what only HTML has."""
    plain = re.sub(r"\A(?:<\?.*?\?>|<!--.*?-->|\s)+", "", text[:32_768], flags=re.DOTALL)
    if re.match(r"<!doctype\s+html", plain, re.IGNORECASE):
        return Kind.HTML
    declared = text.startswith("<?xml") or plain != text
    plain = re.sub(r"\A<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*(?:<!--.*?-->|\s)*", "", plain, flags=re.DOTALL)
    root = _XML_ROOT.match(plain)
    if root is None:
        return Kind.HTML if _HTML.match(plain) else Kind.XML if declared else None
    name = root[1].lower()
    if name == "document" and "opendocument" in plain[:4096]:
        return _flat_odf(plain)
    if name == "workbook" and "urn:schemas-microsoft-com:office:spreadsheet" in plain[:4096]:
        return Kind.EXCEL2003XML
    if name in _ROOTS and (name != "package" or "xmlPackage" in plain[:2048]):
        return _ROOTS[name]
    if not declared and "xmlns" not in root.string[root.start() : root.start() + 2048] and _HTML.match(plain):
        return Kind.HTML
    return Kind.XML


def _flat_odf(plain: str) -> Kind:
    for ending, kind in (("spreadsheet", Kind.FODS), ("presentation", Kind.FODP)):
        if f"opendocument.{ending}" in plain[:8192]:
            return kind
    return Kind.FODT
