"""Plain text.

Removes: control characters other than tab and line ends, terminal escapes, direction controls, characters that nobody can see.
Keeps:   every readable character, line ends, the encoding wherever it can express the result (else UTF-8).
Refuses: bytes that are mostly no character in any encoding; single ones become 〓 and are counted.
Spec:    Unicode UAX #9 (direction), UTS #51 (emoji joiners), UTS #37 (variation sequences); ECMA-48 (escapes); RFC 1468, CP932.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

from sanitizers import charset
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Folded, Folding, Source

# Control sequence, operating system command (to its end, or to the end of its line), other escape; their 8-bit form.
_ESCAPES: Final = re.compile(
    "\x1b(?:\\[[0-?]{0,64}[ -/]{0,8}[@-~]|\\][^\x07\x1b\r\n]{0,1024}(?:\x07|\x1b\\\\)?|[ -/]{1,8}[0-~]|[0-~])?"
    "|\x9b[0-?]{0,64}[ -/]{0,8}[@-~]"
)
_BREAKS: Final = re.compile("[\x0b\x0c\x85]")                                # show as a new line or page: the break is kept
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Seen by nobody wherever they stand: blanks of no width, fillers, joiners of layout, tags, noncharacters.
_NEVER: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# Seen only through what they do to their neighbours: joiners and variation selectors.
_JOINERS: Final = "\u200c\u200d"
_SELECTORS: Final = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_INVISIBLE: Final = re.compile(f"[{_NEVER}{_JOINERS}{_SELECTORS}]")
_MARKERS: Final = re.compile(f"[{_NEVER}]")
_SPECIAL: Final = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI.pattern[1:-1]}{_NEVER}{_JOINERS}{_SELECTORS}]")
# What most texts are made of. A run of one class is matched ten times as fast as a character of another is searched for.
_ORDINARY: Final = re.compile(
    "[\t\n\r -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u05ff\u2010-\u2027\u2030-\u205e\u2070-\u2fff"
    "\u3000-\u3163\u3165-\ud7ff\ue000-\ufaff\uff01-\uff9f\uffe0-\uffee]*"
)
_IDEOGRAPHS: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Scripts whose letters take another form next to a joiner: Arabic and its neighbours, India, Tibet to Mongolia.
_JOINING: Final = re.compile(
    "[\u0620-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17b3\u17b6-\u180a\u1810-\u18af"
    "\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc]"
)
_EMOJI: Final = re.compile("[\u203c\u2049\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]")
_BOMS: Final = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
# Up to so many unreadable characters are an accident; beyond that, one in so many makes it no text.
_ACCIDENTS: Final = 4
_UNREADABLE_SHARE: Final = 20
# Encodings in which a line feed is always a line feed, whatever stands before it.
_LINEWISE: Final = frozenset({"us-ascii", "utf-8", "cp932", "euc-jp"})


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The same text in the same encoding; see the module's first lines."""
    if isinstance(source, Folded) and (made := _by_runs(source, context)) is not None:
        return Rebuilt(made, context.kind)
    text, encoding, bom = read(source, context)
    return Rebuilt(Source(write(clean(text, context), encoding, bom, context)), context.kind)


def _by_runs(source: Folded, context: Context) -> Source | None:
    """A large text, some lines at a time: no line break lies inside a character of these encodings, and nothing reaches over one.

    None where it must be seen whole: other encodings, several of them, unreadable characters.
    """
    made = Folding()
    counts: Counter[str] = Counter()
    encoding = "us-ascii"
    for run in source.runs_of_lines():
        decoded = charset.decode(run, encoding)
        if decoded.replaced or decoded.charset not in _LINEWISE or len({encoding, decoded.charset, "us-ascii"}) > 2:
            return None
        encoding = decoded.charset if decoded.charset != "us-ascii" else encoding
        text, found = _cleaned(decoded.text)
        counts += found
        mark = _BOMS["utf-8"] if not made.size and run.startswith(_BOMS["utf-8"]) else b""
        data = charset.encode(text, "utf-8" if context.treatment.text_as_utf8 else decoded.charset)
        if charset.decode(data, "utf-8" if context.treatment.text_as_utf8 else encoding).text != text:
            return None
        made.add(mark + data)
    context.budget.spend_bytes(len(source))
    _report(counts, context)
    if context.treatment.text_as_utf8 and encoding not in ("us-ascii", "utf-8"):
        context.found("text.encoding", "", Action.REWRITTEN, encoding)
    whole = made.source()
    return source if whole.sha256 == source.sha256 else whole      # not the same bytes twice in memory


def read(source: Source, context: Context) -> tuple[str, str, bytes]:
    """Text, the encoding it came in, and its byte order mark (empty if it had none). Raises Malformed."""
    data = source.bytes()
    context.budget.spend_bytes(len(data))
    decoded = charset.decode(data)
    if decoded.replaced:
        if decoded.replaced > max(_ACCIDENTS, len(decoded.text) // _UNREADABLE_SHARE):
            raise Malformed(f"{decoded.replaced} of {len(decoded.text)} characters mean nothing in {decoded.charset}")
        context.found("text.undecodable", "", Action.REWRITTEN, f"{decoded.replaced}")
    mark = _BOMS.get(decoded.charset, b"")
    return decoded.text, decoded.charset, mark if data.startswith(mark) else b""


def clean(text: str, context: Context) -> str:
    """Without what only a machine sees; each class is reported with its count."""
    text, counts = _cleaned(text)
    _report(counts, context)
    return text


def _report(counts: Counter[str], context: Context) -> None:
    for code in ("text.control_characters", "text.bidi_override", "text.invisible"):
        if counts[code]:
            context.found(code, "", Action.REMOVED, f"{counts[code]}")


def _cleaned(text: str) -> tuple[str, Counter[str]]:
    """What is left, and how many of what went, by finding code."""
    counts: Counter[str] = Counter()
    ordinary = _ORDINARY.match(text)
    if not _SPECIAL.search(text, ordinary.end() if ordinary else 0):
        return text, counts
    text, escapes = _ESCAPES.subn("", text)
    text, controls = _CONTROLS.subn("", text)
    text, breaks = _with_line_ends(text)
    counts["text.control_characters"] = escapes + controls + breaks
    if not text.isascii():
        text, counts["text.bidi_override"] = _BIDI.subn("", text)
        text, counts["text.invisible"] = _visible(text)
    return text, counts


def _with_line_ends(text: str) -> tuple[str, int]:
    """Form feed, vertical tab and NEL as the line end that they show as; nothing where a line ends there anyway."""
    count = len(_BREAKS.findall(text))
    if not count:
        return text, 0
    end = "\r\n" if "\r\n" in text else "\n"
    return re.sub("[\x0b\x0c\x85]+", lambda run: "" if _at_line_end(run) else end, text), count


def _at_line_end(run: re.Match[str]) -> bool:
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    return before in ("", "\n", "\r") or after in ("", "\n", "\r")


def _visible(text: str) -> tuple[str, int]:
    kept = _INVISIBLE.sub(lambda match: match[0] if _belongs(match) else "", text)
    return kept, len(text) - len(kept)


def _belongs(match: re.Match[str]) -> bool:
    """A joiner between letters of a joining script or between emoji; one variation selector behind a character that has forms.

    葛󠄀 and ❤️ stay as they are, a chain of selectors (which can carry any hidden bytes) does not.
    """
    char, text = match[0], match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if char in _JOINERS:
        if _JOINING.match(before):
            return char == "\u200d" or bool(_JOINING.match(after))
        if before == "\ufe0f":      # that belongs to an emoji itself
            before = text[match.start() - 2 : match.start() - 1]
        return char == "\u200d" and bool(_EMOJI.match(before) and _EMOJI.match(after))
    if _MARKERS.match(char) or not before or _INVISIBLE.match(before):
        return False
    if char >= "\U000e0100":
        return bool(_IDEOGRAPHS.match(before))
    return unicodedata.category(before) in ("Lo", "So", "Sm", "Sk", "Po", "Pd", "Nd")


def write(text: str, encoding: str, bom: bytes, context: Context) -> bytes:
    """Bytes in the encoding that the text came in; in UTF-8 by policy, or where that cannot say every character or could not be told."""
    if bom and (encoding == "utf-8" or not context.treatment.text_as_utf8):
        return bom + text.encode(encoding)
    if encoding in ("utf-8", "us-ascii"):
        return text.encode("utf-8")
    if context.treatment.text_as_utf8:
        context.found("text.encoding", "", Action.REWRITTEN, encoding)
        # Spreadsheets take a table without a mark for the code page of the machine.
        return (_BOMS["utf-8"] if context.kind is Kind.CSV else b"") + text.encode("utf-8")
    if not encoding.startswith("utf-16"):
        data = charset.encode(text, "iso-2022-jp-ms" if encoding == charset.JIS else encoding)
        back = charset.decode(data)
        if back.text == text and not back.replaced:
            return data
    context.found("text.encoding", "", Action.REWRITTEN, encoding)
    return text.encode("utf-8")


SANITIZER: Final = Sanitizer(
    family="text",
    kinds=frozenset({Kind.TEXT}),
    sanitize=sanitize,
    removes="control and invisible characters, terminal escapes, direction controls",
    keeps="every readable character, line ends, the encoding",
    refuses="what is mostly unreadable",
    spec="Unicode UAX #9, UTS #51, ECMA-48, RFC 1468",
)
