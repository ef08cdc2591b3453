"""XFA forms (ISO 32000-1 §12.7.8, deprecated in ISO 32000-2): never copied, their scripts shown to the scanner.

A form that has both XFA and fields on its pages keeps the pages and the fields. One that exists as XFA only has one page that says "Please
wait": delivering that would be losing the form without a word, so it is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.values import Dictionary, Stream, Value
from sanitizers.model import Unsupported

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_DYNAMIC: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?dynamicRender\s*>\s*required\s*<")
_PACKETS: Final = 200


def examine(copier: Copier, catalog: Dictionary, *, widgets: bool) -> None:
    """Scans the packets. `widgets`: a page shows at least one field. Raises Unsupported for a form that its pages do not show."""
    value = copier.reader.dictionary(catalog.get("AcroForm")).get("XFA")
    dynamic = copier.resolve(catalog.get("NeedsRendering")) is True
    for packet in _packets(copier, value):
        data = copier.content_of(packet, "form/XFA") or b""
        dynamic = dynamic or _DYNAMIC.search(data) is not None
    if copier.resolve(value) is not None and dynamic and not widgets:
        raise Unsupported(
            "the form exists as XFA only and its page just asks to wait: have it printed to PDF and sent again",
            where="form/XFA", code="pdf.dynamic_xfa",
        )


def _packets(copier: Copier, value: Value) -> list[Stream]:
    """One stream, or an array of names and streams."""
    found = copier.resolve(value)
    items = map(copier.resolve, found[: 2 * _PACKETS]) if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Stream)]
