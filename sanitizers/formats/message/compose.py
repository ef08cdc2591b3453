"""The new message, written from our own model: one text, then the attachments, all in base64, with CRLF only.

Nothing in it can be read in two ways: one boundary that base64 cannot contain, one name for each attachment.

Spec: RFC 5322, RFC 2045, RFC 2046 §5.1.3, RFC 2231, RFC 2047 (in `name`, for old mail programs).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote

import pybase64

from sanitizers.charset import decode, encode
from sanitizers.formats.message.envelope import JIS_MS, encoded_words
from sanitizers.jis import GETA
from sanitizers.model import Kind
from sanitizers.source import Source

# What a mail program may be told about a file. HTML and mail inside mail go as plain files, so that nothing is shown inline.
MEDIA_TYPES: Final[dict[Kind, str]] = {
    Kind.PDF: "application/pdf",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.DOTX: "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.XLTX: "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
    Kind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    Kind.PPSX: "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
    Kind.POTX: "application/vnd.openxmlformats-officedocument.presentationml.template",
    Kind.ODT: "application/vnd.oasis.opendocument.text",
    Kind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
    Kind.ODP: "application/vnd.oasis.opendocument.presentation",
    Kind.ODG: "application/vnd.oasis.opendocument.graphics",
    Kind.EPUB: "application/epub+zip",
    Kind.DOC: "application/msword",
    Kind.XLS: "application/vnd.ms-excel",
    Kind.PPT: "application/vnd.ms-powerpoint",
    Kind.RTF: "application/rtf",
    Kind.JTD: "application/x-js-taro",
    Kind.XDW: "application/vnd.fujixerox.docuworks",
    Kind.XBD: "application/vnd.fujixerox.docuworks.binder",
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.GIF: "image/gif",
    Kind.BMP: "image/bmp",
    Kind.TIFF: "image/tiff",
    Kind.WEBP: "image/webp",
    Kind.EMF: "image/emf",
    Kind.WMF: "image/wmf",
    Kind.ZIP: "application/zip",
    Kind.TAR: "application/x-tar",
    Kind.GZ: "application/gzip",
    Kind.XML: "application/xml",
    Kind.JSON: "application/json",
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.TEXT: "text/plain; charset=utf-8",
    Kind.ICS: "text/calendar; charset=utf-8",
    Kind.VCF: "text/vcard; charset=utf-8",
}
# A name that may stand in quotes: there are readers that end a quoted string at a semicolon.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._+-]+(?: [A-Za-z0-9._+-]+)*")
_UNNAMED_TYPE: Final = "application/octet-stream"


class File(NamedTuple):
    """A delivered attachment under its final name."""

    name: str
    content: Source
    kind: Kind


def charset_for(wanted: str, text: str) -> str:
    """The charset of a mail that says `text`: the wanted one, unless it lacks a character of it."""
    if wanted == "utf-8" or text.isascii():
        return wanted
    return wanted if decode(encode(text, JIS_MS), wanted).text.count(GETA) == text.count(GETA) else "utf-8"


def compose(header: list[str], text: str, files: list[File], charset: str = "utf-8") -> bytes:
    """The whole message. The boundary is a digest of what it bounds: the same input gives the same bytes."""
    body = text.encode("utf-8", "replace") if charset == "utf-8" else encode(text, JIS_MS)
    plain = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + _base64(body)
    top = "\r\n".join([*header, "MIME-Version: 1.0", ""]).encode("ascii")
    if not files:
        return top + plain
    digest = sha256(body)
    for file in files:
        digest.update(file.content.sha256.encode())
    boundary = f"sekisho-{digest.hexdigest()[:40]}".encode()
    pieces = [top, b'Content-Type: multipart/mixed; boundary="', boundary, b'"\r\n\r\n--', boundary, b"\r\n", plain]
    for file in files:
        pieces += [b"--", boundary, b"\r\n", _part_header(file, charset).encode("ascii"), _base64(file.content.bytes())]
    pieces += [b"--", boundary, b"--\r\n"]
    return b"".join(pieces)


def _base64(data: bytes) -> bytes:
    """Lines of 76 characters, each ended by CRLF."""
    return pybase64.encodebytes(data).replace(b"\n", b"\r\n")


def _part_header(file: File, charset: str) -> str:
    kind = MEDIA_TYPES.get(file.kind, _UNNAMED_TYPE)
    if _PLAIN_NAME.fullmatch(file.name):
        name = filename = f'"{file.name}"'
        star = ""
    else:
        name = '"' + "\r\n ".join(encoded_words(file.name, charset)) + '"'
        star, filename = "*", "UTF-8''" + quote(file.name, safe="")
    return (
        f"Content-Type: {kind};\r\n name={name}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename{star}={filename}\r\n\r\n"
    )
