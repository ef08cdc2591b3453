"""Second opinion on a composed message: Python's own mail parser and a walk over the bytes, none of the code that composed it.

The bytes must be plain ASCII with CRLF, the header an allow-list, the tree exactly text first and then the attachments that the
engine delivered, byte for byte. Bodies are checked to be nothing but base64 (no boundary or header can hide in them) and decoded
here; the parser then sees the same message with shortened bodies, which keeps this cheap for large attachments.
"""

from __future__ import annotations

import binascii
import codecs
import re
import unicodedata
from email import _header_value_parser, contentmanager, headerregistry, policy  # noqa: F401 - loaded before the jail closes
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import collapse_rfc2231_value
from hashlib import sha256
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source

codecs.lookup("raw_unicode_escape")  # which collapse_rfc2231_value() would look for inside the jail

_ONCE: Final = frozenset((
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted",
    "x-sekisho-result", "authentication-results", "mime-version", "content-type", "content-transfer-encoding",
))  # fmt: skip
_MUST: Final = ("from", "subject", "mime-version", "content-type", "x-sekisho-result")
_PART_FIELDS: Final = frozenset(("content-type", "content-transfer-encoding", "content-disposition"))
_BOUNDARY: Final = re.compile(rb'\r\nContent-Type: multipart/mixed; boundary="(sekisho-[0-9a-f]{40})"$')
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\r\n"
_TEXT_HEADER: Final = re.compile(rb"Content-Type: text/plain; charset=(utf-8|iso-2022-jp)\r\nContent-Transfer-Encoding: base64\Z")
_RECEIVED: Final = re.compile(
    r"by (?:sekisho|hop)\.invalid(?: id [A-Za-z0-9-]{1,60})?; [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}"
)
_RECEIVED_LIMIT: Final = 101
_ESCAPE: Final = re.compile(rb"\x1b(\$B|\(B|\(I)")
_WORDS: Final = rb"=\?(?:UTF-8|ISO-2022-JP)\?B\?[A-Za-z0-9+/=]+\?="
_FILE_HEADER: Final = re.compile(
    rb"Content-Type: [a-z]+/[a-z0-9.+-]+(?:; charset=utf-8)?;\r\n"
    rb' name="(?P<name>[A-Za-z0-9._+ -]+|' + _WORDS + rb"(?:\r\n " + _WORDS + rb')*)"\r\n'
    rb"Content-Transfer-Encoding: base64\r\n"
    rb"Content-Disposition: attachment;\r\n filename(?:=\"(?P=name)\"|\*=UTF-8''[A-Za-z0-9%._~-]+)"
)
_LINK: Final = re.compile(r"(?<![a-z])(?:https?|ftp)://|(?<![\w.\[\]@/-])www\.\w", re.IGNORECASE)
_NEVER_TYPES: Final = frozenset(("text/html", "message/rfc822", "application/xhtml+xml", "image/svg+xml"))
_SHORT: Final = b"QUJD\r\n"


class _Piece(NamedTuple):
    """One part as it stands in the bytes: its header block and its decoded body."""

    header: bytes
    body: bytes


def verify(output: Source, original: Source, context: Context) -> None:  # noqa: ARG001 - one signature for all verifiers
    """Read by lines: the structure that we write and no other, with just the attachments that were rebuilt. Raises VerificationFailed."""
    data = output.bytes()
    head, gap, rest = data.partition(b"\r\n\r\n")
    if not gap:
        raise VerificationFailed("no end of the header")
    boundary = _BOUNDARY.search(head)
    pieces = _pieces(rest, boundary[1]) if boundary else [_Piece(head, _decoded(rest))]
    for block in (head, *(piece.header for piece in pieces)):
        _check_header_bytes(block)
    charset = _check_shapes(pieces, head if boundary is None else b"")
    skeleton = head + gap + (_skeleton(pieces, boundary[1]) if boundary else _SHORT)
    _check_trees(skeleton, len(pieces) if boundary else 0)
    _check_text(pieces[0].body, charset, context)
    delivered = [part.output.sha256 for part in context.parts if part.output is not None]
    if [sha256(piece.body).hexdigest() for piece in pieces[1:]] != delivered:
        raise VerificationFailed("attachments are not those that were rebuilt")


def _check_shapes(pieces: list[_Piece], alone: bytes) -> bytes:
    """The text's charset. Part headers must be in the one spelling that we write: no parameter stands twice, no field says two things."""
    described = _TEXT_HEADER.search(alone or pieces[0].header)
    before = (alone or pieces[0].header)[: described.start()] if described else b""
    if described is None or bool(before) != bool(alone) or (alone and not before.endswith(b"\r\n")):
        raise VerificationFailed("the text is not described as text")
    for piece in pieces[1:]:
        if _FILE_HEADER.fullmatch(piece.header) is None:
            raise VerificationFailed("attachment described in another way than ours")
    return described[1]


def _check_header_bytes(block: bytes) -> None:
    if block.translate(None, _PRINTABLE):
        raise VerificationFailed("control or 8-bit characters in a header")
    if not block.count(b"\r\n") == block.count(b"\r") == block.count(b"\n"):
        raise VerificationFailed("line ends other than CRLF in a header")
    if max(map(len, block.split(b"\r\n"))) > 998:
        raise VerificationFailed("line of more than 998 characters")


def _pieces(rest: bytes, boundary: bytes) -> list[_Piece]:
    opening, closing = b"--" + boundary + b"\r\n", b"--" + boundary + b"--\r\n"
    if not rest.startswith(opening) or not rest.endswith(closing):
        raise VerificationFailed("parts are not between our boundaries")
    pieces = []
    for raw in rest[len(opening) : -len(closing)].split(opening):
        header, gap, body = raw.partition(b"\r\n\r\n")
        if not gap:
            raise VerificationFailed("part without a header")
        pieces.append(_Piece(header, _decoded(body)))
    return pieces


def _decoded(body: bytes) -> bytes:
    """A body that is nothing but base64 in lines of 76 characters, each ended by CRLF (the last may be shorter)."""
    lines = -(-len(body) // 78)
    full = len(body) // 78
    if body.translate(None, _ALPHABET) != b"\r\n" * lines or (body and not body.endswith(b"\r\n")):
        raise VerificationFailed("body is not plain base64")
    if body[76 : full * 78 : 78] != b"\r" * full or body[77 : full * 78 : 78] != b"\n" * full:
        raise VerificationFailed("body is not in lines of 76 characters")
    return binascii.a2b_base64(body)


def _skeleton(pieces: list[_Piece], boundary: bytes) -> bytes:
    """The same message with bodies of three bytes."""
    opening = b"--" + boundary
    return b"".join(opening + b"\r\n" + piece.header + b"\r\n\r\n" + _SHORT for piece in pieces) + opening + b"--\r\n"


def _check_trees(skeleton: bytes, parts: int) -> None:
    """Both of Python's readers, the old and the new, must see the tree that was meant."""
    old: Message = BytesParser(policy=policy.compat32).parsebytes(skeleton)
    new = BytesParser(EmailMessage, policy=policy.default).parsebytes(skeleton)
    _check_header(old)
    for tree in (old, new):
        leaves = list(tree.walk())
        if any(leaf.defects for leaf in leaves):
            raise VerificationFailed(f"defect: {next(leaf.defects[0] for leaf in leaves if leaf.defects)}")
        types = [leaf.get_content_type() for leaf in leaves]
        if parts:
            leaves, types = leaves[1:], [*types[1:], *([] if types[0] == "multipart/mixed" else ["?"])]
        if len(leaves) != max(parts, 1) or types[0] != "text/plain" or _NEVER_TYPES.intersection(types) or "?" in types:
            raise VerificationFailed(f"unexpected tree {types[:5]}")
        for leaf in leaves[1:]:
            _check_attachment(leaf)
    if [leaf.get_filename() for leaf in new.walk()] != [_old_name(leaf) for leaf in old.walk()]:
        raise VerificationFailed("names that two readers read differently")
    author = new["from"]
    if len(author.addresses) != 1 or author.defects:
        raise VerificationFailed("From is not one address")


def _old_name(leaf: Message) -> str | None:
    value = leaf.get_param("filename", header="content-disposition")
    return None if value is None else collapse_rfc2231_value(value)


def _check_header(message: Message) -> None:
    names = [name.lower() for name in message.keys()]  # noqa: SIM118 - a Message is no dict: it may hold one name twice
    stations = message.get_all("received", [])
    if len(stations) > _RECEIVED_LIMIT or not all(_RECEIVED.fullmatch(station) for station in stations):
        raise VerificationFailed("a Received field that is not ours")
    names = [name for name in names if name != "received"]
    if len(names) != len(set(names)) or not _ONCE.issuperset(names) or not set(names).issuperset(_MUST):
        raise VerificationFailed(f"header fields {sorted(names)[:20]}")


def _check_attachment(leaf: Message) -> None:
    fields = sorted(name.lower() for name in leaf.keys())  # noqa: SIM118
    if fields != sorted(_PART_FIELDS) or leaf.get_content_disposition() != "attachment" or leaf.is_multipart():
        raise VerificationFailed(f"attachment with the fields {fields}")
    if leaf["content-transfer-encoding"] != "base64":
        raise VerificationFailed("attachment not in base64")
    name = collapse_rfc2231_value(leaf.get_filename() or "")
    if not name or any(unicodedata.category(char) == "Cc" or char in "/\\" for char in name):
        raise VerificationFailed("attachment with an unsafe name")


def _iso_2022_jp(body: bytes) -> str:
    """Read by its escapes with Python's codec for Windows' Japanese: only ASCII, JIS X 0208 with the vendors' rows, half-width kana."""
    pieces, now, at = [], b"(B", 0
    for escape in [*_ESCAPE.finditer(body), None]:
        run = body[at : escape.start() if escape else len(body)]
        if now == b"(B":
            pieces.append(run.decode("ascii"))
        elif now == b"(I":
            pieces.append(bytes(byte | 0x80 for byte in run).decode("cp932"))
        else:
            pieces.append(b"".join(_shifted(*run[index : index + 2]) for index in range(0, len(run), 2)).decode("cp932"))
        if escape:
            now, at = escape[1], escape.end()
    if now != b"(B":
        raise VerificationFailed("text does not end in ASCII")
    return "".join(pieces)


def _shifted(row: int, cell: int) -> bytes:
    """A pair of JIS X 0208 as Shift_JIS has it (JIS X 0208 annex 1)."""
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    return bytes((lead, cell + 0x7E if row % 2 == 0 else cell + 0x1F + (cell >= 0x60)))


def _check_text(body: bytes, charset: bytes, context: Context) -> None:
    try:
        text = body.decode("utf-8") if charset == b"utf-8" else _iso_2022_jp(body)
    except (TypeError, ValueError) as error:      # what cannot be decoded, and half of a pair
        raise VerificationFailed(f"text is not {charset.decode('ascii')}") from error
    letters = set(text)
    if any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in letters):
        raise VerificationFailed("control characters in the text")
    if any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in letters):
        raise VerificationFailed("direction marks in the text")
    given = context.treatment
    if given.mail_links_defanged and ("://" in text or "www." in text.lower()):
        # The one address that may be alive: our own page for this mail, once, as the road gave it.
        if given.pickup_url and given.receipt_no:
            text = text.replace(f"{given.pickup_url.rstrip('/')}/transfers/{given.receipt_no}", "", 1)
        if live := _LINK.search(text):
            raise VerificationFailed(f"live link {text[live.start() : live.end() + 20]}")
