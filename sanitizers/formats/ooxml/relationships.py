"""Relationships: what they may point to, and what is said when they are not kept. ECMA-376 part 2, and the types that part 1 names.

The type of a relationship alone never makes a part harmless: the part must also have one of the content types that the type allows and a
root element that belongs there.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from sanitizers.formats.ooxml.vocabulary import clark

_PREFIXES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/metadata/",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
    "http://schemas.openxmlformats.org/officedocument/2006/relationships/metadata/",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/metadata/",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/",
    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/",
    "http://schemas.openxmlformats.org/package/2006/relationships/",
)
_MICROSOFT: Final = re.compile(r"http://schemas\.microsoft\.com/office/\d{4}(?:/\d{2})?/relationships/(?:ui/)?([\w-]+)(?:/\w+)?")


class Relationship(NamedTuple):
    """One, as read. `type` is its URI, `key` the name by which it is looked up here, "" for unknown types."""

    id: str
    type: str
    key: str
    target: str
    external: bool


class How(Enum):
    """How the part behind a relationship is rebuilt."""

    XML = auto()
    PICTURE = auto()
    PACKAGE = auto()      # an Office file of its own
    LINK = auto()         # no part: a place outside, or in this file
    PROPERTIES = auto()
    DATA = auto()         # custom XML that content controls are bound to


class Role(NamedTuple):
    """What a relationship may point to. `implied`: it counts without any element that names its id."""

    how: How
    content_types: dict[str, str]      # in lower case → as the standard spells it
    roots: frozenset[str]
    implied: bool


_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_SLIDE: Final = "application/vnd.openxmlformats-officedocument.presentationml."
_DRAWING: Final = "application/vnd.openxmlformats-officedocument.drawingml."
_EXCEL: Final = "application/vnd.ms-excel."
_OFFICE: Final = "application/vnd.ms-office."
_POWERPOINT: Final = "application/vnd.ms-powerpoint."
_VML: Final = "application/vnd.openxmlformats-officedocument.vmlDrawing"

MAIN_TYPES: Final[dict[str, str]] = {
    f"{_WORD}document.main+xml": "docx",
    "application/vnd.ms-word.document.macroenabled.main+xml": "docx",
    f"{_WORD}template.main+xml": "dotx",
    "application/vnd.ms-word.template.macroenabledtemplate.main+xml": "dotx",
    "application/vnd.ms-word.template.macroenabled.main+xml": "dotx",
    f"{_SHEET}sheet.main+xml": "xlsx",
    f"{_EXCEL}sheet.macroenabled.main+xml": "xlsx",
    f"{_SHEET}template.main+xml": "xltx",
    f"{_EXCEL}template.macroenabled.main+xml": "xltx",
    f"{_SLIDE}presentation.main+xml": "pptx",
    f"{_POWERPOINT}presentation.macroenabled.main+xml": "pptx",
    f"{_SLIDE}slideshow.main+xml": "ppsx",
    f"{_POWERPOINT}slideshow.macroenabled.main+xml": "ppsx",
    f"{_SLIDE}template.main+xml": "potx",
    f"{_POWERPOINT}template.macroenabled.main+xml": "potx",
}
PLAIN_MAIN_TYPE: Final = {
    "docx": f"{_WORD}document.main+xml",
    "dotx": f"{_WORD}template.main+xml",
    "xlsx": f"{_SHEET}sheet.main+xml",
    "xltx": f"{_SHEET}template.main+xml",
    "pptx": f"{_SLIDE}presentation.main+xml",
    "ppsx": f"{_SLIDE}slideshow.main+xml",
    "potx": f"{_SLIDE}template.main+xml",
}

EMBEDDED_TYPES: Final = {
    "xlsx": f"{_SHEET}sheet",
    "xltx": f"{_SHEET}template",
}
def _xml(content_types: str | tuple[str, ...], roots: str, *, implied: bool = False) -> Role:
    types = (content_types,) if isinstance(content_types, str) else content_types
    return Role(How.XML, {name.lower(): name for name in types}, clark(roots), implied)


ROLES: Final[dict[str, Role]] = {
    "officeDocument": Role(How.XML, MAIN_TYPES, clark("w:document x:workbook p:presentation"), True),
    # WordprocessingML
    "styles": _xml((f"{_WORD}styles+xml", f"{_SHEET}styles+xml"), "w:styles x:styleSheet", implied=True),
    "stylesWithEffects": _xml("application/vnd.ms-word.stylesWithEffects+xml", "w:styles", implied=True),
    "settings": _xml(f"{_WORD}settings+xml", "w:settings", implied=True),
    "webSettings": _xml(f"{_WORD}webSettings+xml", "w:webSettings", implied=True),
    "fontTable": _xml(f"{_WORD}fontTable+xml", "w:fonts", implied=True),
    "numbering": _xml(f"{_WORD}numbering+xml", "w:numbering", implied=True),
    "footnotes": _xml(f"{_WORD}footnotes+xml", "w:footnotes", implied=True),
    "endnotes": _xml(f"{_WORD}endnotes+xml", "w:endnotes", implied=True),
    "header": _xml(f"{_WORD}header+xml", "w:hdr"),
    "footer": _xml(f"{_WORD}footer+xml", "w:ftr"),
    "glossaryDocument": _xml(f"{_WORD}document.glossary+xml", "w:glossaryDocument", implied=True),
    "comments": _xml(
        (f"{_WORD}comments+xml", f"{_SHEET}comments+xml", f"{_SLIDE}comments+xml", f"{_POWERPOINT}comments+xml"),
        "w:comments x:comments p:cmLst p15:cmLst",
        implied=True,
    ),
    "commentsExtended": _xml(f"{_WORD}commentsExtended+xml", "w15:commentsEx", implied=True),
    "commentsIds": _xml(f"{_WORD}commentsIds+xml", "w15:commentsIds", implied=True),
    "commentsExtensible": _xml(f"{_WORD}commentsExtensible+xml", "w15:commentsExtensible", implied=True),
    # SpreadsheetML
    "worksheet": _xml(f"{_SHEET}worksheet+xml", "x:worksheet"),
    "chartsheet": _xml(f"{_SHEET}chartsheet+xml", "x:chartsheet"),
    "sharedStrings": _xml(f"{_SHEET}sharedStrings+xml", "x:sst", implied=True),
    "sheetMetadata": _xml(f"{_SHEET}sheetMetadata+xml", "x:metadata", implied=True),
    "table": _xml(f"{_SHEET}table+xml", "x:table"),
    "pivotTable": _xml(f"{_SHEET}pivotTable+xml", "x:pivotTableDefinition", implied=True),
    "pivotCacheDefinition": _xml(f"{_SHEET}pivotCacheDefinition+xml", "x:pivotCacheDefinition", implied=True),
    "pivotCacheRecords": _xml(f"{_SHEET}pivotCacheRecords+xml", "x:pivotCacheRecords"),
    "ctrlProp": _xml(f"{_EXCEL}controlproperties+xml", "x14:formControlPr"),
    "slicer": _xml(f"{_EXCEL}slicer+xml", "x14:slicers"),
    "slicerCache": _xml(f"{_EXCEL}slicerCache+xml", "x14:slicerCacheDefinition"),
    "timeline": _xml(f"{_EXCEL}timeline+xml", "x15:timelines"),
    "timelineCache": _xml(f"{_EXCEL}timelineCache+xml", "x15:timelineCacheDefinition"),
    "threadedComment": _xml(f"{_EXCEL}threadedcomments+xml", "x16:ThreadedComments", implied=True),
    "person": _xml(f"{_EXCEL}person+xml", "x16:personList", implied=True),
    # PresentationML
    "slide": _xml(f"{_SLIDE}slide+xml", "p:sld"),
    "slideLayout": _xml(f"{_SLIDE}slideLayout+xml", "p:sldLayout", implied=True),
    "slideMaster": _xml(f"{_SLIDE}slideMaster+xml", "p:sldMaster", implied=True),
    "notesSlide": _xml(f"{_SLIDE}notesSlide+xml", "p:notes", implied=True),
    "notesMaster": _xml(f"{_SLIDE}notesMaster+xml", "p:notesMaster", implied=True),
    "handoutMaster": _xml(f"{_SLIDE}handoutMaster+xml", "p:handoutMaster", implied=True),
    "presProps": _xml(f"{_SLIDE}presProps+xml", "p:presentationPr", implied=True),
    "viewProps": _xml(f"{_SLIDE}viewProps+xml", "p:viewPr", implied=True),
    "tableStyles": _xml(f"{_SLIDE}tableStyles+xml", "a:tblStyleLst", implied=True),
    "commentAuthors": _xml(f"{_SLIDE}commentAuthors+xml", "p:cmAuthorLst", implied=True),
    "authors": _xml(f"{_POWERPOINT}authors+xml", "p15:authorLst", implied=True),
    # DrawingML
    "theme": _xml("application/vnd.openxmlformats-officedocument.theme+xml", "a:theme", implied=True),
    "themeOverride": _xml("application/vnd.openxmlformats-officedocument.themeOverride+xml", "a:themeOverride", implied=True),
    "drawing": _xml("application/vnd.openxmlformats-officedocument.drawing+xml", "xdr:wsDr"),
    "chart": _xml(f"{_DRAWING}chart+xml", "c:chartSpace"),
    "chartUserShapes": _xml(f"{_DRAWING}chartshapes+xml", "c:userShapes cdr:drawing"),
    "chartStyle": _xml(f"{_OFFICE}chartstyle+xml", "cs:chartStyle", implied=True),
    "chartColorStyle": _xml(f"{_OFFICE}chartcolorstyle+xml", "cs:colorStyle", implied=True),
    "chartEx": _xml(f"{_OFFICE}chartex+xml", "cx:chartSpace"),
    "diagramData": _xml(f"{_DRAWING}diagramData+xml", "dgm:dataModel"),
    "diagramLayout": _xml((f"{_DRAWING}diagramLayout+xml", f"{_DRAWING}diagramLayoutHeader+xml"), "dgm:layoutDef"),
    "diagramQuickStyle": _xml(f"{_DRAWING}diagramStyle+xml", "dgm:styleDef"),
    "diagramColors": _xml(f"{_DRAWING}diagramColors+xml", "dgm:colorsDef"),
    "diagramDrawing": _xml(f"{_OFFICE}drawingml.diagramDrawing+xml", "dgm:drawing", implied=True),
    "vmlDrawing": Role(How.XML, {_VML.lower(): _VML}, frozenset({"xml"}), False),
    "image": Role(How.PICTURE, {}, frozenset(), False),
    "package": Role(How.PACKAGE, {}, frozenset(), False),
    "hyperlink": Role(How.LINK, {}, frozenset(), False),
    # the package itself
    "core-properties": Role(How.PROPERTIES, {}, frozenset(), True),
    "extended-properties": Role(How.PROPERTIES, {}, frozenset(), True),
    "extendedProperties": Role(How.PROPERTIES, {}, frozenset(), True),
    "custom-properties": Role(How.PROPERTIES, {}, frozenset(), True),
    "customProperties": Role(How.PROPERTIES, {}, frozenset(), True),
    "classificationlabels": _xml(f"{_OFFICE}classificationlabels+xml", "clbl:labelList", implied=True),
    "customXml": Role(How.DATA, {}, frozenset(), True),
}

# What is left out, by relationship; anything else that is left out is `ooxml.unknown_part`.
DROPPED: Final[dict[str, str]] = {
    "vbaProject": "ooxml.vba",
    "wordVbaData": "ooxml.vba",
    "vbaProjectSignature": "ooxml.vba",
    "vbaProjectSignatureAgile": "ooxml.vba",
    "vbaProjectSignatureV3": "ooxml.vba",
    "xlMacrosheet": "ooxml.macro_sheet",
    "xlIntlMacrosheet": "ooxml.macro_sheet",
    "dialogsheet": "ooxml.macro_sheet",
    "keyMapCustomizations": "ooxml.custom_ui",
    "attachedToolbars": "ooxml.custom_ui",
    "extensibility": "ooxml.custom_ui",
    "userCustomization": "ooxml.custom_ui",
    "control": "ooxml.activex",
    "activeXControlBinary": "ooxml.activex",
    "oleObject": "ooxml.ole_object",
    "package": "ooxml.embedded_file",
    "aFChunk": "ooxml.alt_chunk",
    "subDocument": "ooxml.sub_document",
    "attachedTemplate": "ooxml.external_template",
    "frame": "ooxml.frame",
    "mailMergeSource": "ooxml.mail_merge",
    "mailMergeHeaderSource": "ooxml.mail_merge",
    "recipientData": "ooxml.mail_merge",
    "transform": "ooxml.external_reference",
    "externalLink": "ooxml.external_link",
    "externalLinkPath": "ooxml.external_link",
    "xlExternalLinkPath": "ooxml.external_link",
    "connections": "ooxml.connection",
    "queryTable": "ooxml.connection",
    "powerPivotData": "ooxml.connection",
    "xmlMaps": "ooxml.connection",
    "volatileDependencies": "ooxml.connection",
    "webextension": "ooxml.web_extension",
    "webextensiontaskpanes": "ooxml.web_extension",
    "audio": "ooxml.media",
    "video": "ooxml.media",
    "media": "ooxml.media",
    "font": "ooxml.embedded_font",
    "printerSettings": "ooxml.printer_settings",
    "thumbnail": "ooxml.thumbnail",
    "origin": "ooxml.signature",
    "signature": "ooxml.signature",
    "certificate": "ooxml.signature",
    "tags": "ooxml.custom_data",
    "customProperty": "ooxml.custom_data",
    "slideUpdateInfo": "ooxml.external_reference",
    "slideUpdateUrl": "ooxml.external_reference",
    "htmlPubSaveAs": "ooxml.external_reference",
    "customXml": "ooxml.custom_xml",
    "pivotTable": "ooxml.connection",
    "pivotCacheDefinition": "ooxml.connection",
    "hyperlink": "ooxml.hyperlink",
    "image": "ooxml.external_image",
    "people": "file.metadata",
    "documentRevisionHistory": "file.metadata",
    "revisionHeaders": "file.metadata",
    "revisionLog": "file.metadata",
    "usernames": "file.metadata",
    "changesInfo": "file.metadata",
    "revisionInfo": "file.metadata",
}
# Rebuilt by the application itself from what is kept.
REGENERATED: Final = frozenset({"calcChain", "changesInfo", "revisionInfo"})


def key(type_uri: str) -> str:
    """`…/2006/relationships/oleObject`, in any namespace that Office knows → `oleObject`; "" for any other URI."""
    for prefix in _PREFIXES:
        if type_uri.startswith(prefix):
            return _tail(type_uri[len(prefix) :])
    known = _MICROSOFT.fullmatch(type_uri)
    return _tail(known[1]) if known else ""


def _tail(name: str) -> str:
    return name.removeprefix("digital-signature/")
