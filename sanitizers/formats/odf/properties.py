"""Meta data and view settings, made anew from what marks the document and what its layout needs."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.formats.office.classification import MARK
from sanitizers.model import Action

_META: Final = {clark("dc:title"), clark("dc:subject"), clark("dc:language"), clark("meta:keyword")}
_USER_DEFINED: Final = clark("meta:user-defined")
_TRACES: Final = frozenset(
    clark(name) for name in ("meta:initial-creator", "meta:printed-by", "meta:template", "dc:creator", "dc:description")
)
_HREF: Final = clark("xlink:href")
_NAME: Final = clark("meta:name")
_VALUE_TYPE: Final = clark("meta:value-type")
_CONFIG_NAME: Final = clark("config:name")
_CONFIG_TYPE: Final = clark("config:type")
_ITEM: Final = clark("config:config-item")
_CONTAINERS: Final = {
    clark(f"config:config-item-{n}") for n in ("set", "map-named", "map-indexed", "map-entry")
}
_VALUES: Final = {
    "boolean": re.compile(r"true|false"),
    "short": re.compile(r"-?\d{1,6}"),
    "int": re.compile(r"-?\d{1,11}"),
    "long": re.compile(r"-?\d{1,20}"),
    "double": re.compile(r"-?[\d.eE+-]{1,40}"),
}
# Strings that a view needs: the sheet that is open, the id of the view.
_STRINGS: Final = frozenset({"ViewId", "ActiveTable", "ActiveSplitRange", "PageKind", "SelectedPage", "CharacterCompressionType"})
_UNWANTED: Final = re.compile(
    r"^Printer|^Print(?:FaxName|PaperFromSetup)|Link|^Update|Macro|Rsid|UserData|^Embed|Password|URL|Path|^Redline|Database|^Load"
)
_PLAIN: Final = re.compile(r"[\w .:-]{0,80}")
_NAMED: Final = re.compile(r"[\w .:()-]{1,120}")
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACES: Final = " ".join(f'xmlns:{p}="{SPACES[p]}"' for p in ("office", "meta", "dc"))


def meta(root: xml.Element, where: str, context: Context, version: str) -> bytes:
    """Title, subject, language, keywords and classification marks."""
    lines: list[str] = []
    for element in root.iter():
        text = (element.text or "").strip()[:4096]
        local = element.tag.rpartition("}")[2]
        if element.tag in _META and text:
            prefix = "meta" if local == "keyword" else "dc"
            lines.append(f"<{prefix}:{local}>{escape(text)}</{prefix}:{local}>")
        elif element.tag == _USER_DEFINED and text and MARK.match(name := element.get(_NAME) or ""):
            lines.append(f"<meta:user-defined meta:name={quoteattr(name[:255])}>{escape(text)}</meta:user-defined>")
        elif element.get(_HREF) and element.tag not in _TRACES:
            context.found("odf.external_reference", where, Action.REMOVED, local)
        elif (element.tag in _TRACES or element.tag == _USER_DEFINED) and (text or element.get(_HREF) or len(element.attrib) > 3):
            context.found("file.metadata", where, Action.REMOVED, local)
    inside = "".join(lines)
    root_tag = f'office:document-meta {_SPACES} office:version="{version}"'
    return f"{_HEAD}<{root_tag}><office:meta>{inside}</office:meta></office:document-meta>".encode()


def settings(root: xml.Element, where: str, context: Context) -> bytes:
    """Numbers and switches of the layout and the view; nothing about printers, links, macros or people."""
    for element in list(root.iter(_ITEM)):
        if not _keeps(element):
            if (element.text or "").strip() and element.get(_CONFIG_NAME) in ("PrinterName", "PrinterSetup"):
                context.found("odf.settings", where, Action.REMOVED, element.get(_CONFIG_NAME) or "")
            element.getparent().remove(element)
    for element in list(root.iter()):
        known = element.tag in _CONTAINERS or element.tag == _ITEM or element.tag in (root.tag, clark("office:settings"))
        if not known and element.getparent() is not None:
            context.found("odf.unknown_markup", where, Action.REMOVED, element.tag)
            element.getparent().remove(element)
        for name, value in element.attrib.items():
            allowed = name in (_CONFIG_NAME, _CONFIG_TYPE, clark("office:version"))
            if not allowed or not _NAMED.fullmatch(value.removeprefix("ooo:")):
                del element.attrib[name]
        if known and element.tag != _ITEM:
            element.text = None
        element.tail = None
    return xml.serialize(root)


def _keeps(element: xml.Element) -> bool:
    name, kind, text = element.get(_CONFIG_NAME) or "", element.get(_CONFIG_TYPE) or "", (element.text or "").strip()
    if _UNWANTED.search(name) or len(element):
        return False
    if kind == "string":
        return name in _STRINGS and bool(_PLAIN.fullmatch(text))
    return kind in _VALUES and bool(_VALUES[kind].fullmatch(text))
