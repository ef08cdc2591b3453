"""Which names of OpenDocument are copied, in Clark notation; any other is left out wherever it stands."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from sanitizers.formats.odf import names

_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns:"
SPACES: Final = {
    "office": f"{_ODF}office:1.0",
    "style": f"{_ODF}style:1.0",
    "text": f"{_ODF}text:1.0",
    "table": f"{_ODF}table:1.0",
    "draw": f"{_ODF}drawing:1.0",
    "fo": f"{_ODF}xsl-fo-compatible:1.0",
    "svg": f"{_ODF}svg-compatible:1.0",
    "number": f"{_ODF}datastyle:1.0",
    "chart": f"{_ODF}chart:1.0",
    "dr3d": f"{_ODF}dr3d:1.0",
    "form": f"{_ODF}form:1.0",
    "anim": f"{_ODF}animation:1.0",
    "smil": f"{_ODF}smil-compatible:1.0",
    "presentation": f"{_ODF}presentation:1.0",
    "meta": f"{_ODF}meta:1.0",
    "config": f"{_ODF}config:1.0",
    "manifest": f"{_ODF}manifest:1.0",
    "field": "urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "dc": "http://purl.org/dc/elements/1.1/",
    "math": "http://www.w3.org/1998/Math/MathML",
    "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    "chartooo": "http://openoffice.org/2010/chart",
}
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"

_LIBREOFFICE: Final = {
    "loext": "graphic-properties theme theme-colors color char-complex-color fill-complex-color border-complex-color transformation "
    "content-control list-item p table-protection sparkline-groups sparkline-group sparklines sparkline decorative gradient-stop "
    "background-complex-color line-complex-color char-shading page-usage-style title-complex-color header-first footer-first date-formats "
    "marker-style label-positions data-label color-table custom-label-field regression-curve sender-initials creator-initials data-table",
    "calcext": "conditional-formats conditional-format condition color-scale color-scale-entry data-bar formatting-entry icon-set date-is "
    "sparkline-groups sparkline-group sparklines sparkline",
    "chartooo": "date-scale coordinate-region data-table label-separator custom-label-field",
    "field": "fieldmark fieldmark-start fieldmark-end fieldmark-separator param",
    "math": "math mi mn mo ms mtext mspace mglyph mrow mfrac msqrt mroot mstyle merror mpadded mphantom mfenced menclose msub msup msubsup "
    "munder mover munderover mmultiscripts mprescripts none mtable mtr mlabeledtr mtd maligngroup malignmark semantics annotation",
}
_MATH_ATTRIBUTES: Final = frozenset(
    "display encoding mathvariant mathsize mathcolor mathbackground stretchy fence separator form lspace rspace symmetric maxsize "
    "minsize largeop movablelimits accent linethickness numalign denomalign bevelled open close separators notation rowalign "
    "columnalign columnspacing rowspacing columnlines rowlines frame width height depth displaystyle scriptlevel accentunder "
    "subscriptshift superscriptshift".split()
)
# Extensions of LibreOffice whose attributes are numbers, colours and names of styles; they grow with every version.
_EXTENSION_ATTRIBUTES: Final = tuple(
    f"{{{uri}}}"
    for uri in (
        SPACES["loext"], SPACES["calcext"], SPACES["field"], SPACES["chartooo"], "http://www.w3.org/TR/css3-text/", "http://openoffice.org/2010/draw",
        "http://openoffice.org/2009/table", "urn:openoffice:names:experimental:ooxml-odf-interop:xmlns:form:1.0",
    )
)  # fmt: skip
_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_REVISION: Final = "{http://openoffice.org/2009/office}"


def clark(spelled: str) -> str:
    """`text:p` → its name in Clark notation."""
    prefix, _, local = spelled.partition(":")
    return f"{{{SPACES[prefix]}}}{local}"


def clarks(spelled: str) -> tuple[str, ...]:
    return tuple(clark(name) for name in spelled.split())


ELEMENTS: Final = frozenset(
    f"{{{SPACES[prefix]}}}{local}" for part in (names.ELEMENTS, _LIBREOFFICE) for prefix, text in part.items() for local in text.split()
)
_ATTRIBUTES: Final = frozenset(
    f"{{{SPACES[prefix]}}}{local}" for prefix, text in names.ATTRIBUTES.items() for local in text.split()
) | {f"{_XML}id", f"{_XML}space", f"{_XML}lang"}


def is_attribute(name: str) -> bool:
    """The attribute may be copied."""
    return name in _ATTRIBUTES or name in _MATH_ATTRIBUTES or is_extension(name)


def is_extension(name: str) -> bool:
    """An attribute of LibreOffice's own that may be copied, if its value is no place: that is all we know of it."""
    local = name.rpartition("}")[2]
    return name.startswith(_EXTENSION_ATTRIBUTES) and bool(_PLAIN_NAME.fullmatch(local)) and not local.lower().endswith("href")


def bearing(name: str, signs: str = "") -> etree.XPath:
    """Elements that have the attribute, with one of the signs in it; found inside libxml2, a large sheet has millions of others."""
    space, _, local = name[1:].rpartition("}")
    where = " or ".join(f"contains(@n:{local}, '{sign}')" for sign in signs)
    return etree.XPath(f"//*[@n:{local}]" if not signs else f"//*[{where}]", namespaces={"n": space})


def is_quiet(name: str) -> bool:
    """Revision ids and the type of a picture that its name says too: nobody misses them."""
    return name.startswith(_REVISION) or name.endswith(("}mime-type", "}rsid", "}paragraph-rsid"))
