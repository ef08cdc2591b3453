"""Plain text.

Removes: control characters other than tab and line ends, terminal escapes, direction overrides, invisible characters.
Keeps:   every readable character, line ends, the encoding wherever it can express the result (else UTF-8).
Refuses: nothing; bytes that are no character in any encoding become 〓 and are counted.
Spec:    Unicode 15 UAX #9 (bidirectional controls), TR #36; ECMA-48 (escape sequences); RFC 1468, CP932.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers import charset
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind
from sanitizers.source import Source

_ESCAPES: Final = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f]")
# Zero-width characters that carry no meaning in running text. The joiners U+200C and U+200D and variation selectors belong to scripts and emoji.
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]")
_VARIATIONS: Final = re.compile("[\U000e0100-\U000e01ef]")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf_16_le"), (b"\xfe\xff", "utf_16_be"))


def sanitize(source: Source, context: Context) -> Rebuilt:
    text, encoding, bom = read(source, context)
    return Rebuilt(Source(write(clean(text, context), encoding, bom, context)), context.kind)


def read(source: Source, context: Context) -> tuple[str, str, bytes]:
    """Text, the encoding it came in, and its byte order mark (empty if it had none)."""
    data = source.bytes()
    context.budget.spend_bytes(len(data))
    mark = next((mark for mark, _ in _BOMS if data.startswith(mark)), b"")
    decoded = charset.decode(data)
    if decoded.replaced:
        context.found("text.undecodable", "", Action.REWRITTEN, f"{decoded.replaced}")
    return decoded.text, decoded.charset, mark


def clean(text: str, context: Context) -> str:
    """Without what only a machine sees; each class is reported with its count."""
    if text.isascii() and not _CONTROLS.search(text):
        return text
    for code, pattern in (
        ("text.control_characters", _ESCAPES),
        ("text.control_characters", _CONTROLS),
        ("text.bidi_override", _BIDI),
    ):
        text, count = pattern.subn("", text)
        if count:
            context.found(code, "", Action.REMOVED, f"{count}")
    return _visible(text, context)


def _visible(text: str, context: Context) -> str:
    if not _INVISIBLE.search(text):
        return text
    # A variation selector behind a kanji chooses its form (葛󠄀): it stays; tag characters and fillers go.
    kept = _INVISIBLE.sub(lambda match: match[0] if _VARIATIONS.match(match[0]) else "", text)
    if len(kept) != len(text):
        context.found("text.invisible", "", Action.REMOVED, f"{len(text) - len(kept)}")
    return kept


def write(text: str, encoding: str, bom: bytes, context: Context) -> bytes:
    """Bytes in the encoding that the text came in; in UTF-8 with a mark where that cannot say every character the same way."""
    if bom:
        codec = next(codec for mark, codec in _BOMS if mark == bom)
        return bom + text.encode(codec, "replace")
    data = charset.encode(text, "iso-2022-jp-ms" if encoding == charset.JIS else encoding)
    back = charset.decode(data)
    if back.text == text and back.replaced == 0:
        return data
    context.found("text.encoding", "", Action.REWRITTEN, encoding)
    return text.encode("utf-8", "replace")


SANITIZER: Final = Sanitizer(
    family="text",
    kinds=frozenset({Kind.TEXT}),
    sanitize=sanitize,
    removes="control and invisible characters, terminal escapes, direction overrides",
    keeps="every readable character, line ends, the encoding",
    refuses="nothing that is text",
    spec="Unicode UAX #9, ECMA-48, RFC 1468",
)
