"""Plain text bodies: line ends, controls, format=flowed, and lines that some mail programs take for files.

Spec: RFC 3676 (format=flowed, delsp).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.formats.message.words import visible

_LINE_END: Final = re.compile("\r\n|[\r\n\v\f\x85\u2028\u2029]")
_SUSPECT: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Never shown and never dangerous: dropped without a word.
_NOISE: Final = re.compile("[\ufeff\u200b\u2060\x00\x1a]+")
# uuencode, yEnc and BinHex begin where a line begins (MS KB167393; yEnc draft 1.3; RFC 1741).
_FILE_LINE: Final = re.compile(
    r"^(?=begin(?:-base64)? [0-7]{3,4} \S|=ybegin |=ypart |\(This file must be converted with BinHex)", re.MULTILINE | re.IGNORECASE
)


class Cleaned(NamedTuple):
    """Text with LF line ends, how many control characters went, and how many lines were made harmless."""

    text: str
    controls: int
    file_lines: int


def clean(text: str) -> Cleaned:
    """Without control and invisible characters; a line where a mail program would begin a file (uuencode, yEnc, BinHex) is quoted."""
    text = _LINE_END.sub("\n", text)
    controls = 0
    if not text.isprintable() and _SUSPECT.search(text):
        text = _NOISE.sub("", text)
        kept = "".join(char for char in text if char in "\n\t" or visible(char) or not _SUSPECT.match(char))
        controls = len(text) - len(kept)
        text = kept
    text, lines = _FILE_LINE.subn("> ", text)
    return Cleaned(text, controls, lines)


def unflow(text: str, delsp: bool) -> str:
    """Join the soft-broken lines of format=flowed. `delsp`: the space at the break is no part of the text (Japanese)."""
    out: list[list[str]] = []  # the pieces of each line
    open_depth = -1  # quote depth of a paragraph that goes on, or -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        body = line[depth:].removeprefix(" ")
        soft = body.endswith(" ") and body != "-- "
        if soft and delsp:
            body = body[:-1]
        if depth == open_depth and body != "-- ":
            out[-1].append(body)
        else:
            out.append([">" * depth + " " if depth else "", body])
        open_depth = depth if soft else -1
    lines = ("".join(pieces) for pieces in out)
    return "\n".join(line.rstrip(" ") if line != "-- " else line for line in lines)
