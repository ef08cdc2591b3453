"""What a text that begins with `<` is: a page, a drawing, an office document in one XML file, or XML of its own."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.model import Kind

_PEEK: Final = 32_768
# What only a page has. Anything but the first elements of a page needs no `html` around it: browsers add that themselves.
PAGE: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|iframe|meta\s|title|table|div|form|style|img\s|link\s|base\s|a\s+href|p>|br\s*/?>|h[1-6]>|font\s)",
    re.IGNORECASE,
)
_PROLOGUE: Final = re.compile(r"\A(?:<\?.*?\?>|<!--.*?-->|\s)+", re.DOTALL)
_DOCTYPE: Final = re.compile(r"\A<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*(?:<!--.*?-->|\s)*", re.DOTALL)
_PAGE_TYPE: Final = re.compile(r"<!doctype\s+html", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(?:[\w.-]{1,64}:)?([A-Za-z_][\w.-]{0,64})(?=[\s/>])")
_FLAT_ODF: Final = re.compile(r"mimetype\s*=\s*[\"']application/vnd\.oasis\.opendocument\.([a-z-]+)[\"']")
_SERVER_SCRIPT: Final = re.compile(r"<\?(?:php|=)|<%")

# Root elements of XML that a program obeys when it opens the file. Values: what it is to us.
_ROOTS: Final[dict[str, Kind]] = {
    "svg": Kind.SVG,
    "html": Kind.HTML,
    "worddocument": Kind.WORD2003XML,
    "librarydescription": Kind.URL,                     # .library-ms: fetches from a share as soon as it is unpacked (CVE-2025-24054)
    "searchconnectordescription": Kind.URL,
    "persistedquery": Kind.URL,                         # .search-ms
    "pcsettings": Kind.URL,                             # .settingcontent-ms: starts a program
    "mmc_consolefile": Kind.SCRIPT,
    "scriptlet": Kind.SCRIPT,
    "registration": Kind.SCRIPT,
    "xdp": Kind.UNKNOWN,                                # a PDF form packed into XML
    "visiodocument": Kind.UNKNOWN,
    "visioschema": Kind.UNKNOWN,
}


def by_markup(text: str, *, plain_name: bool) -> Kind | None:
    """Kind by prologue and root element; None where this is text that happens to begin with `<`.

    `plain_name`: the file is named as plain text, which only clear evidence overrules.
    """
    if _SERVER_SCRIPT.match(text):
        return Kind.SCRIPT
    whole = text[:_PEEK]
    body = _PROLOGUE.sub("", whole)
    declared = len(body) != len(whole)
    typed = _PAGE_TYPE.match(body) is not None
    body = _DOCTYPE.sub("", body)
    root = _ROOT.match(body)
    if root is None or typed:
        return Kind.HTML if typed or PAGE.match(body) else Kind.XML if declared and not plain_name else None
    if kind := _by_root(root[1].lower(), body):
        return kind
    if declared or "xmlns" in body.partition(">")[0]:
        return Kind.XML
    if PAGE.match(body):
        return Kind.HTML
    return None if plain_name else Kind.XML


def _by_root(name: str, body: str) -> Kind | None:
    if name == "document" and "urn:oasis:names:tc:opendocument" in body[:4096]:
        said = _FLAT_ODF.search(body[:16_384])
        return {"text": Kind.FODT, "spreadsheet": Kind.FODS, "presentation": Kind.FODP}.get(said[1] if said else "", Kind.UNKNOWN)
    if name == "workbook" and "urn:schemas-microsoft-com:office:spreadsheet" in body[:4096]:
        return Kind.EXCEL2003XML
    if name == "package":
        return Kind.FLAT_OPC if "xmlPackage" in body[:2048] else Kind.SCRIPT if "<script" in body else None
    if name in ("job", "component"):
        return Kind.SCRIPT if "<script" in body else None
    return _ROOTS.get(name)
