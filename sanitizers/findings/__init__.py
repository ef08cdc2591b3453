"""Every finding code of the product, declared once: severity and the words people read, Japanese first.

One module per family holds a tuple `CODES`; `CODES` here is the whole table. Both sides of the jail may import it: it is data.
"""

from __future__ import annotations

from typing import Final

from sanitizers.findings import archive, confirm, doc, file, image, jtd, message, odf, ooxml, pdf, ppt, road, rtf, text, xls
from sanitizers.findings.code import FindingCode

FAMILIES: Final = (file, pdf, ooxml, odf, rtf, doc, xls, ppt, jtd, image, archive, text, message, confirm, road)

CODES: Final[dict[str, FindingCode]] = {code.code: code for family in FAMILIES for code in family.CODES}
