"""Header text: RFC 2047 encoded words and raw Japanese in all the forms that are really sent.

Encoded words inside quotes, without quotes, glued together, cut in the middle of a character or of an escape state, with RFC 2231
language tags; raw Shift_JIS, ISO-2022-JP and UTF-8 without any encoding. What comes out has no control characters, no line ends and
no characters that turn the writing direction.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from typing import Final

import pybase64

from sanitizers.charset import decode

# `[^?]*` ends at the next question mark, so a flood of unfinished words costs linear time.
_WORD: Final = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_BASE64_JUNK: Final = re.compile(r"[^A-Za-z0-9+/]")
_SPACES: Final = re.compile(r"\s+")


def raw_text(raw: bytes) -> str:
    """Header bytes as text by evidence: nearly always ASCII, in the wild everything."""
    return raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else decode(raw).text


def decode_words(text: str) -> str:
    """Text with its encoded words decoded. Neighbours in one charset are joined as bytes first: they may share a character."""
    if "=?" not in text:
        return text
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        label = match[1].lower()
        if pending and between.strip() == "" and label == charset:
            pending += _payload(match)
        else:
            out.append(decode(pending, charset).text)
            if not (pending and between.strip() == ""):
                out.append(between)
            pending, charset = _payload(match), label
        at = match.end()
    return "".join([*out, decode(pending, charset).text, text[at:]])


def _payload(match: re.Match[str]) -> bytes:
    body = match[3]
    if match[2] in "bB":
        letters = _BASE64_JUNK.sub("", body)
        letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        return pybase64.b64decode(letters + "=" * (-len(letters) % 4))
    data = body.replace("_", " ").encode("utf-8", "replace")
    return _HEX.sub(lambda code: binascii.unhexlify(code[1]), data)


def plain(text: str, limit: int = 1000) -> str:
    """One line for a header or a report: no control or direction characters, spaces for line ends, at most `limit` characters."""
    if text.isascii() and text.isprintable():
        return text.strip()[:limit]
    kept = "".join(" " if char in "\r\n\t\v\f\u2028\u2029\x85" else char for char in text if char in "\r\n\t\v\f" or visible(char))
    return kept.strip()[:limit]


def visible(char: str) -> bool:
    """False for controls, direction marks, tags, byte order marks and lone surrogates; joiners inside emoji and names stay."""
    if char in "\u200c\u200d\u00ad\u2028\u2029\x85":
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn")


def header_text(raw: bytes, limit: int = 1000) -> str:
    """An unstructured header value as one clean line."""
    return plain(_SPACES.sub(" ", decode_words(raw_text(raw))), limit)
