"""Every sanitizer of the product, listed by hand. A kind that no sanitizer names is held as `unsupported_kind`."""

from __future__ import annotations

from typing import Final

from sanitizers.formats import (
    archive,
    csv,
    doc,
    html,
    image,
    jtd,
    message,
    metafile,
    mht,
    odf,
    ooxml,
    pdf,
    ppt,
    rtf,
    structured,
    svg,
    text,
    vobject,
    xls,
)
from sanitizers.formats.ooxml import encrypted
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind

SANITIZERS: Final[tuple[Sanitizer, ...]] = (
    pdf.SANITIZER,
    ooxml.SANITIZER,
    encrypted.SANITIZER,
    odf.SANITIZER,
    doc.SANITIZER,
    xls.SANITIZER,
    ppt.SANITIZER,
    jtd.SANITIZER,
    rtf.SANITIZER,
    image.SANITIZER,
    svg.SANITIZER,
    metafile.SANITIZER,
    *archive.SANITIZERS,
    text.SANITIZER,
    csv.SANITIZER,
    structured.XML,
    structured.JSON,
    vobject.SANITIZER,
    html.SANITIZER,
    mht.SANITIZER,
    message.SANITIZER,
)

BY_KIND: Final[dict[Kind, Sanitizer]] = {kind: sanitizer for sanitizer in SANITIZERS for kind in sanitizer.kinds}
