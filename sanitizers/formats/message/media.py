"""Media types that a gatherer must know: what is text, what is shown, what is left out (IANA registry; RFC 2046, RFC 8551, RFC 3462)."""

from __future__ import annotations

from typing import Final

TNEF: Final = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
SIGNATURES: Final = frozenset(("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"))
PKCS7: Final = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
REPORTS: Final = frozenset(
    (
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
        "message/feedback-report",
        "text/rfc822-headers",
        "message/global-headers",
    )
)
NEVER_SHOWN: Final = frozenset(("text/x-amp-html", "text/watch-html", "text/css", "text/javascript", "application/applefile"))
AS_FILES: Final = frozenset(("text/vcard", "text/x-vcard", "text/directory", "text/rtf", "text/csv", "text/xml"))
BINHEX: Final = frozenset(("application/mac-binhex40", "application/mac-binhex", "application/binhex"))
HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
TYPE_NAMES: Final = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tif",
    "image/webp": "webp", "image/svg+xml": "svg", "text/csv": "csv", "text/calendar": "ics", "text/vcard": "vcf",
    "text/x-vcard": "vcf", "text/html": "html", "text/plain": "txt", "text/xml": "xml", "text/rtf": "rtf", "application/rtf": "rtf",
    "application/zip": "zip", "application/pgp-encrypted": "asc",
}  # fmt: skip
