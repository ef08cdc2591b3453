"""The three strengths (最大セキュリティ, 標準, 最大整合性): named sets of treatment values, one row a value.

A strength is a starting point: what a document says of a value besides it wins. Neither strength lets an original through.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.policy.document import Strength
from sanitizers.model import Treatment

# How a document may also write them.
NAMES: Final = {"最大セキュリティ": Strength.SECURITY, "標準": Strength.STANDARD, "最大整合性": Strength.FIDELITY}

# field                       最大セキュリティ   最大整合性; 標準 is the default of each
_TABLE: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("link_schemes",             (),             ("http", "https", "mailto", "tel")),
    ("mail_links_defanged",      True,           True),
    ("pdf_attachments",          False,          True),
    ("pdf_forms_flattened",      True,           False),
    ("pdf_properties_kept",      (),             ("Title", "Subject", "Keywords")),
    ("pdf_links_removed",        True,           False),
    ("pdf_strict_pixels",        True,           False),
    ("comments_kept",            False,          True),
    ("capture_date_kept",        False,          True),
    ("picture_codes",            "covered",      "ignored"),
    ("low_bits_cleared",         True,           False),
    ("svg_as_pixels",            True,           False),
    ("metafiles_as_pixels",      True,           False),
    ("bad_member_holds_archive", True,           False),
    ("pages_as_text",            True,           False),
)  # fmt: skip

_STANDARD: Final = Treatment()

VALUES: Final[dict[Strength, dict[str, Any]]] = {
    Strength.SECURITY: {field: most for field, most, _ in _TABLE},
    Strength.STANDARD: {field: getattr(_STANDARD, field) for field, _, _ in _TABLE},
    Strength.FIDELITY: {field: least for field, _, least in _TABLE},
}
