"""Which element and attribute names are copied: one set of each, in Clark notation, transitional and strict side by side.

Any other name is left out wherever it stands. The names lie in `names/`, sorted by the chapter of the standard that declares them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sanitizers.formats.ooxml.names import attributes, drawing, sheet, slide, word

_OX: Final = "http://schemas.openxmlformats.org/"
_MS: Final = "http://schemas.microsoft.com/office/"
_STRICT: Final = "http://purl.oclc.org/ooxml/"

# Prefixes as the standards print them → namespace URIs, transitional and strict, or those of several versions of one extension.
SPACES: Final[dict[str, tuple[str, ...]]] = {
    "w": (f"{_OX}wordprocessingml/2006/main", f"{_STRICT}wordprocessingml/main"),
    "x": (f"{_OX}spreadsheetml/2006/main", f"{_STRICT}spreadsheetml/main"),
    "p": (f"{_OX}presentationml/2006/main", f"{_STRICT}presentationml/main"),
    "a": (f"{_OX}drawingml/2006/main", f"{_STRICT}drawingml/main"),
    "r": (f"{_OX}officeDocument/2006/relationships", f"{_STRICT}officeDocument/relationships"),
    "m": (f"{_OX}officeDocument/2006/math", f"{_STRICT}officeDocument/math"),
    "pic": (f"{_OX}drawingml/2006/picture", f"{_STRICT}drawingml/picture"),
    "c": (f"{_OX}drawingml/2006/chart", f"{_STRICT}drawingml/chart"),
    "cdr": (f"{_OX}drawingml/2006/chartDrawing", f"{_STRICT}drawingml/chartDrawing"),
    "dgm": (f"{_OX}drawingml/2006/diagram", f"{_STRICT}drawingml/diagram", f"{_MS}drawing/2008/diagram"),
    "lc": (f"{_OX}drawingml/2006/lockedCanvas", f"{_STRICT}drawingml/lockedCanvas"),
    "wp": (f"{_OX}drawingml/2006/wordprocessingDrawing", f"{_STRICT}drawingml/wordprocessingDrawing"),
    "xdr": (f"{_OX}drawingml/2006/spreadsheetDrawing", f"{_STRICT}drawingml/spreadsheetDrawing"),
    "mc": (f"{_OX}markup-compatibility/2006",),
    "v": ("urn:schemas-microsoft-com:vml",),
    "o": ("urn:schemas-microsoft-com:office:office",),
    "vx": ("urn:schemas-microsoft-com:office:excel",),
    "w10": ("urn:schemas-microsoft-com:office:word",),
    "w14": (f"{_MS}word/2010/wordml",),
    "w15": (
        f"{_MS}word/2012/wordml",
        f"{_MS}word/2015/wordml/symex",
        f"{_MS}word/2016/wordml/cid",
        f"{_MS}word/2018/wordml",
        f"{_MS}word/2018/wordml/cex",
        f"{_MS}word/2023/wordml/word16du",
    ),
    "wps": tuple(f"{_MS}word/2010/{name}" for name in (
        "wordprocessingShape", "wordprocessingGroup", "wordprocessingCanvas", "wordprocessingDrawing")),
    "wp15": (f"{_MS}word/2012/wordprocessingDrawing",),
    "a14": (f"{_MS}drawing/2010/main",),
    "a15": tuple(f"{_MS}{name}" for name in (
        "drawing/2012/main", "drawing/2014/main", "drawing/2016/11/main", "drawing/2017/decorative", "drawing/2018/hyperlinkcolor",
        "drawing/2010/diagram", "drawing/2016/11/diagram", "drawing/2016/12/diagram", "drawing/2010/picture",
        "drawing/2010/chartDrawing", "drawing/2016/SVG/main", "thememl/2012/main")),
    "c14": tuple(f"{_MS}drawing/{name}" for name in ("2007/8/2/chart", "2012/chart", "2014/chart", "2014/chart/ac", "2017/03/chart")),
    "cs": (f"{_MS}drawing/2012/chartStyle",),
    "cx": (f"{_MS}drawing/2014/chartex", f"{_MS}drawing/2015/9/8/chartex", f"{_MS}drawing/2015/10/21/chartex"),
    "x14": (f"{_MS}spreadsheetml/2009/9/main",),
    "x14ac": (f"{_MS}spreadsheetml/2009/9/ac",),
    "x15": (f"{_MS}spreadsheetml/2010/11/main",),
    "x16": (
        f"{_MS}excel/2006/main", f"{_MS}spreadsheetml/2018/calcfeatures", f"{_MS}spreadsheetml/2016/pivotdefaultlayout",
        f"{_MS}spreadsheetml/2017/dynamicarray", f"{_MS}spreadsheetml/2018/threadedcomments", "http://schemas.libreoffice.org/",
    ),
    "x14xdr": (f"{_MS}excel/2010/spreadsheetDrawing",),
    "p14": (f"{_MS}powerpoint/2010/main",),
    "p15": (
        f"{_MS}powerpoint/2012/main", f"{_MS}powerpoint/2015/09/main", f"{_MS}powerpoint/2018/8/main",
        f"{_MS}powerpoint/2013/main/command", f"{_MS}drawing/2013/main/command",
    ),
    "xml": ("http://www.w3.org/XML/1998/namespace",),
    "cp": (f"{_OX}package/2006/metadata/core-properties",),
    "vt": (f"{_OX}officeDocument/2006/docPropsVTypes", f"{_STRICT}officeDocument/docPropsVTypes"),
    "clbl": (f"{_MS}2020/mipLabelMetadata",),
}  # fmt: skip

_NAMES: Final[dict[str, frozenset[str]]] = {
    "mc": frozenset({"AlternateContent", "Choice"}),   # those that alternatives leave: around form controls
    "w": word.WORD,
    "m": word.MATH,
    "w14": word.WORD_2010,
    "w15": word.WORD_2012 | {"commentsIds", "commentId", "commentsExtensible", "commentExtensible", "symEx"},
    "wps": word.WORD_SHAPES,
    "wp": word.WORD_DRAWING,
    "v": word.VML,
    "o": word.VML_OFFICE,
    "vx": word.VML_EXCEL,
    "w10": word.VML_WORD,
    "": word.VML_TEXT | {"xml"},
    "a": drawing.DRAWING,
    "pic": drawing.PICTURE,
    "c": drawing.CHART,
    "cdr": drawing.CHART_DRAWING,
    "dgm": drawing.DIAGRAM,
    "lc": frozenset({"lockedCanvas"}),
    "xdr": drawing.SHEET_DRAWING,
    "a14": drawing.DRAWING_2010,
    "a15": drawing.DRAWING_2012_ON,
    "c14": drawing.CHART_2007_ON,
    "cs": drawing.CHART_STYLE,
    "cx": drawing.CHART_EX,
    "x": sheet.SHEET,
    "x14": sheet.SHEET_2010,
    "x15": sheet.SHEET_2013,
    "x16": sheet.SHEET_LATER,
    "x14xdr": drawing.SHEET_DRAWING,
    "p": slide.SLIDE,
    "p14": slide.SLIDE_2010,
    "p15": slide.SLIDE_2012_ON,
    "clbl": frozenset({"labelList", "label"}),
}

_ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    "": attributes.PLAIN | attributes.VML_PLAIN | {"Requires"},
    "w": attributes.WORD,
    "w14": attributes.WORD_2010,
    "w15": attributes.WORD_2012_ON,
    "wps": frozenset({"anchorId", "editId", "id"}),
    "o": attributes.VML_OFFICE,
    "v": attributes.VML,
    "m": attributes.MATH,
    "r": attributes.RELATIONSHIPS,
    "x14ac": frozenset({"dyDescent", "knownFonts"}),
    "p14": frozenset({"dur", "bounceEnd", "presetBounceEnd", "isNarration", "isPhoto"}),
    "xml": frozenset({"space", "lang"}),
    "mc": frozenset({"Ignorable"}),
}


def clark(spelled: str) -> frozenset[str]:
    """`w:p w:r` → both names in every namespace that the prefix stands for."""
    pairs = (name.split(":") for name in spelled.split())
    return frozenset(f"{{{uri}}}{local}" for prefix, local in pairs for uri in SPACES[prefix])


def _joined(names: dict[str, frozenset[str]]) -> frozenset[str]:
    plain = names.get("", frozenset())
    return plain | frozenset(f"{{{uri}}}{local}" for prefix in names if prefix for uri in SPACES[prefix] for local in names[prefix])


ELEMENTS: Final = _joined(_NAMES)
ATTRIBUTES: Final = _joined(_ATTRIBUTES)
KNOWN_SPACES: Final = frozenset(uri for prefix in (*_NAMES, *_ATTRIBUTES) if prefix for uri in SPACES[prefix])

# Names that every version of Office writes by the thousand and that mean nothing to a reader: revision ids, caches of other drawings.
_QUIET_SPACES: Final = (f"{_MS}spreadsheetml/2014/revision", f"{_MS}spreadsheetml/2015/revision2", f"{_MS}spreadsheetml/2016/revision",
                        f"{_MS}spreadsheetml/2017/revision", f"{_MS}spreadsheetml/2010/11/ac")  # fmt: skip
_QUIET_NAMES: Final = clark(
    "w:rsids w:rsidRoot w:rsid w:rsidDel w:rsidP w:rsidR w:rsidRDefault w:rsidRPr w:rsidSect w:rsidTr o:gfxdata o:ole o:oleicon "
    "w:embedTrueTypeFonts w:embedSystemFonts w:saveSubsetFonts mc:ProcessContent mc:MustUnderstand mc:PreserveElements "
    "mc:PreserveAttributes"
) | {"codeName", "saveSubsetFonts", "embedTrueTypeFonts", "targetScreenSize", "lastModifiedBy"}


def is_quiet(name: str) -> bool:
    """Left out of every file without a word."""
    return name in _QUIET_NAMES or name.startswith(tuple(f"{{{uri}" for uri in _QUIET_SPACES))


def prefixes_known(prefixes: Iterable[str], spaces: dict[str | None, str], unwanted: frozenset[str]) -> bool:
    """Every prefix is bound to a namespace that is copied and not in `unwanted`."""
    return all((uri := spaces.get(prefix)) in KNOWN_SPACES and uri not in unwanted for prefix in prefixes)
