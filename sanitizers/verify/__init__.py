"""The second opinion: other code than the one that rebuilt a file looks at the result.

Each verifier is a function (output, original, kind of output) that raises VerificationFailed when anything active is left or the output is
not what it claims to be. A kind without a verifier is never delivered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind
from sanitizers.source import Source
from sanitizers.verify import archive, html, image, jtd, message, metafile, odf, ooxml, pdf, ppt, rtf, svg, text, vobject

Verifier = Callable[[Source, Source, Context], None]

VERIFIERS: Final[dict[Kind, Verifier]] = {
    Kind.PDF: pdf.verify,
    **ooxml.VERIFIERS,
    **odf.VERIFIERS,
    Kind.PPT: ppt.verify,
    Kind.JTD: jtd.verify,
    Kind.RTF: rtf.verify,
    **image.VERIFIERS,
    Kind.SVG: svg.verify,
    **metafile.VERIFIERS,
    **archive.VERIFIERS,
    **text.VERIFIERS,
    Kind.ICS: vobject.verify,
    Kind.VCF: vobject.verify,
    Kind.HTML: html.verify,
    Kind.EML: message.verify,
}
