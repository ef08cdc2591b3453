"""Document properties: what marks a document stays as plain text, who made it, where and with what goes.

Classification marks, which municipalities require to survive: title, subject, keywords, category, status and custom properties whose name
says that they classify. All else of the three property parts is left out; `AppVersion` must be there and well-formed or Office repairs.
"""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.formats.office.classification import MARK
from sanitizers.model import Action

PLACES: Final = {
    "core-properties": ("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
    "extended-properties": ("docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml"),
    "extendedProperties": ("docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml"),
    "custom-properties": ("docProps/custom.xml", "application/vnd.openxmlformats-officedocument.custom-properties+xml"),
    "customProperties": ("docProps/custom.xml", "application/vnd.openxmlformats-officedocument.custom-properties+xml"),
}

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CORE: Final = {
    "title": "dc:title",
    "subject": "dc:subject",
    "keywords": "cp:keywords",
    "category": "cp:category",
    "contentStatus": "cp:contentStatus",
    "language": "dc:language",
}
_CORE_SPACES: Final = (
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
# Written by the application about itself or counted from the text: not worth a word.
_NO_TRACE: Final = frozenset(
    "created modified revision version AppVersion Application DocSecurity TotalTime Pages Words Characters CharactersWithSpaces Lines "
    "Paragraphs ScaleCrop LinksUpToDate SharedDoc HyperlinksChanged Slides Notes HiddenSlides MMClips PresentationFormat HeadingPairs "
    "TitlesOfParts lastPrinted vector variant lpstr i4 Properties coreProperties property".split()
)
_TRIVIAL: Final = frozenset({"", "Normal", "Normal.dotm", "Normal.dotx", "0", "1", "false"})
# Readers lay a document out as the application did that wrote it, so its name stays, without number or platform.
_APPLICATION: Final = re.compile(
    r"(?:Microsoft (?:Office |Macintosh )?(?:Word|Excel|PowerPoint)(?: Online| for the web)?|LibreOffice)(?=$|[ /])"
)
_VERSION: Final = re.compile(r"\d{1,2}\.\d{4}")
_LONGEST: Final = 4096
_TEXTS: Final = frozenset({"lpwstr", "lpstr", "bstr", "bool", "i4", "int", "filetime", "date", "r8"})


def rebuild(key: str, data: bytes, where: str, context: Context) -> bytes | None:
    """The part made anew; None where nothing is left of it."""
    root = xml.parse(data, context.budget, where)
    if key == "core-properties":
        return _core(root, where, context)
    if key in ("extended-properties", "extendedProperties"):
        return _extended(root, where, context)
    return _custom(root, where, context)


def _core(root: xml.Element, where: str, context: Context) -> bytes:
    kept: dict[str, str] = {}
    gone: list[str] = []
    for element in root:
        name = element.tag.rpartition("}")[2]
        text = _text(element)
        if name in _CORE:
            kept.setdefault(name, text)
        elif text and name not in _NO_TRACE:
            gone.append(name)
    _report(gone, where, context)
    lines = "".join(f"<{_CORE[name]}>{escape(text)}</{_CORE[name]}>" for name, text in sorted(kept.items()) if text)
    return f"{_HEAD}<cp:coreProperties {_CORE_SPACES}>{lines}</cp:coreProperties>".encode()


def _extended(root: xml.Element, where: str, context: Context) -> bytes:
    values = {element.tag.rpartition("}")[2]: _text(element) for element in root}
    _report([name for name, value in values.items() if name not in _NO_TRACE and value not in _TRIVIAL], where, context)
    application = _APPLICATION.match(values.get("Application", ""))
    lines = f"<Application>{application[0]}</Application>" if application else ""
    version = values.get("AppVersion", "")
    lines += f"<AppVersion>{version if _VERSION.fullmatch(version) else '16.0000'}</AppVersion>"
    space = root.tag[1:].partition("}")[0]
    space = space if space in _EXTENDED_SPACES else _EXTENDED_SPACES[0]
    return f"{_HEAD}<Properties xmlns={quoteattr(space)}>{lines}</Properties>".encode()


def _custom(root: xml.Element, where: str, context: Context) -> bytes | None:
    lines: list[str] = []
    gone: list[str] = []
    for element in root:
        name = element.get("name") or ""
        value = element[0] if len(element) else None
        kind = value.tag.rpartition("}")[2] if value is not None else ""
        if not MARK.match(name) or kind not in _TEXTS or element.get("linkTarget"):
            gone.append(name)
            continue
        text = escape(_text(value))
        kind = kind if kind in ("bool", "i4", "filetime") else "lpwstr"
        attributes = f'fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{len(lines) + 2}" name={quoteattr(name[:255])}'
        lines.append(f"<property {attributes}><vt:{kind}>{text}</vt:{kind}></property>")
    _report(gone, where, context)
    if not lines:
        return None
    strict = root.tag.startswith("{http://purl.oclc.org")
    spaces = _CUSTOM_SPACES[strict]
    return f'{_HEAD}<Properties xmlns="{spaces[0]}" xmlns:vt="{spaces[1]}">{"".join(lines)}</Properties>'.encode()


def _report(gone: list[str], where: str, context: Context) -> None:
    if gone:
        context.found("file.metadata", where, Action.REMOVED, ", ".join(gone))


def _text(element: xml.Element) -> str:
    return "".join(element.itertext()).strip()[:_LONGEST]


_EXTENDED_SPACES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties",
    "http://purl.oclc.org/ooxml/officeDocument/extendedProperties",
)
_CUSTOM_SPACES: Final = (
    (
        "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties",
        "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes",
    ),
    ("http://purl.oclc.org/ooxml/officeDocument/customProperties", "http://purl.oclc.org/ooxml/officeDocument/docPropsVTypes"),
)
