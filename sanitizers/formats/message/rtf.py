"""Rich text of Outlook items: decompressed, and read as what it says: the HTML that it wraps, or plain text.

Pictures, objects, fields' instructions and styles say nothing and are left behind.
Spec: MS-OXRTFCP (LZFu), MS-OXRTFEX (HTML inside RTF), RTF 1.9.1.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from sanitizers.charset import decode
from sanitizers.model import LimitExceeded, Malformed

# What MS-OXRTFCP §2.1.2.1 puts into the window before the first byte.
_PRIMED: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans Serif"
    b"SymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW: Final = 4096
_DEPTH: Final = 500
_SKIPPED: Final = frozenset(
    "fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr footerf themedata datastore "
    "latentstyles listtable listoverridetable rsidtbl generator xmlnstbl filetbl revtbl fldinst nonshppict shpinst "
    "bkmkstart bkmkend".split()
)
_CHARSETS: Final = {
    128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_BREAKS: Final = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "tab": "\t", "cell": "\t", "emdash": "—", "endash": "–",
    "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ",
}  # fmt: skip
_TOKEN: Final = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9A-Fa-f]{2})|\\(?P<sign>[^A-Za-z'])|(?P<brace>[{}])"
    rb"|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\'?",
    re.DOTALL,
)
_FONT: Final = re.compile(rb"\\f(\d{1,5})\b[^{}]{0,200}?\\fcharset(\d{1,3})\b")


def decompress(data: bytes, limit: int) -> bytes:
    """The RTF inside a PidTagRtfCompressed value. Raises Malformed, and LimitExceeded past `limit` bytes."""
    if len(data) < 16:
        raise Malformed("compressed RTF without its header", code="mail.ambiguous")
    size, form = struct.unpack_from("<4xI4s", data)
    if form == b"MELA":
        return data[16 : 16 + size]
    if form != b"LZFu":
        raise Malformed("RTF in an unknown compression", code="mail.ambiguous")
    if min(size, len(data) * 9) > limit:
        raise LimitExceeded(f"RTF of {size} bytes")
    return _expand(data, size)


def _expand(data: bytes, size: int) -> bytes:
    """Runs of one control byte and eight tokens: a letter, or two bytes that point into the last 4096 letters."""
    window = bytearray(_PRIMED.ljust(_WINDOW, b"\0"))
    out, write, at, end = bytearray(), len(_PRIMED), 16, len(data)
    while at < end and len(out) < size:
        control, at = data[at], at + 1
        for bit in range(8):
            if at >= end or len(out) >= size:
                break
            if not control >> bit & 1:
                piece, at = data[at : at + 1], at + 1
            else:
                if at + 1 >= end:
                    return bytes(out)
                start, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
                at += 2
                if start == write % _WINDOW:
                    return bytes(out)
                piece = _repeated(window, start, length, write)
            for byte in piece:
                window[write % _WINDOW] = byte
                write += 1
            out += piece
    return bytes(out[:size])


def _repeated(window: bytearray, start: int, length: int, write: int) -> bytes:
    """A piece of the window, which may run into the letters that it is itself about to write."""
    ahead = (write - start) % _WINDOW
    known = bytes(window[(start + index) % _WINDOW] for index in range(min(ahead, length)))
    return (known * (length // len(known) + 1))[:length]


class Told(NamedTuple):
    """What an RTF document says, and whether that is HTML."""

    text: str
    html: bool


class _State(NamedTuple):
    """What a group inherits and gives back at its end."""

    skipped: bool = False
    charset: str = ""
    width: int = 1          # letters that stand for one \\u in older readers
    hushed: bool = False    # \\htmlrtf: the RTF twin of HTML that stands beside it
    tag: bool = False       # inside \\*\\htmltag


def read(data: bytes) -> Told:
    """The words of an RTF document. One pass; what is broken ends where it breaks."""
    html = b"\\fromhtml" in data[:500]
    page = re.search(rb"\\ansicpg(\d{1,5})", data[:500])
    reader = _Reader(html, f"cp{int(page[1])}" if page else "cp1252", _fonts(data))
    at, size = 0, len(data)
    while at < size:
        match = _TOKEN.match(data, at)
        assert match is not None  # every byte begins a token
        at = match.end() + reader.take(match)
    return Told(reader.finish(), html)


def _fonts(data: bytes) -> dict[int, str]:
    start = data.find(b"{\\fonttbl")
    table = data[start : start + 65536] if start >= 0 else b""
    return {int(font): _CHARSETS[int(charset)] for font, charset in _FONT.findall(table) if int(charset) in _CHARSETS}


class _Reader:
    """Tokens in, text out. Letters wait as bytes until their code page changes: one character may come in two tokens."""

    def __init__(self, html: bool, charset: str, fonts: dict[int, str]) -> None:
        self._html = html
        self._default = charset
        self._fonts = fonts
        self._state = _State(charset=charset)
        self._above: list[_State] = []
        self._waiting = bytearray()
        self._out: list[str] = []
        self._owed = 0          # letters to pass over after a \u
        self._star = False

    def take(self, match: re.Match[bytes]) -> int:
        """One token; how many bytes behind it are binary data."""
        kind = match.lastgroup
        if kind == "brace":
            self._group(match["brace"])
        elif kind in ("word", "number"):
            return self._word(match["word"].decode("ascii"), None if match["number"] is None else int(match["number"]))
        elif kind == "hex":
            self._letters(bytes((int(match["hex"], 16),)))
        elif kind == "sign":
            self._sign(match["sign"])
        elif kind == "text":
            self._letters(match["text"])
        return 0

    def finish(self) -> str:
        self._flush()
        return "".join(self._out)

    def _group(self, brace: bytes) -> None:
        self._flush()
        self._star, self._owed = False, 0
        if brace == b"{":
            if len(self._above) >= _DEPTH:
                raise LimitExceeded(f"RTF of more than {_DEPTH} levels")
            self._above.append(self._state)
        elif self._above:
            self._state = self._above.pop()

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._star = True
        elif sign in b"{}\\":
            self._letters(sign)
        elif sign == b"~":
            self._say("&nbsp;" if self._html and not self._state.tag else "\xa0")
        elif sign == b"_":
            self._say("-")
        elif sign in b"\r\n":
            self._say("\n")

    def _word(self, word: str, number: int | None) -> int:
        star, self._star = self._star, False
        if word == "bin":
            return max(number or 0, 0)
        if word == "u":
            self._unicode(number or 0)
        elif word == "uc":
            self._state = self._state._replace(width=min(max(number or 0, 0), 8))
        elif word in ("f", "plain"):
            self._charset(self._fonts.get(number or 0, self._default) if word == "f" else self._default)
        elif word == "htmltag" and star:
            self._state = self._state._replace(tag=True)
        elif word == "htmlrtf":
            self._flush()
            self._state = self._state._replace(hushed=number != 0)
        elif word in _SKIPPED or star:
            self._flush()
            self._state = self._state._replace(skipped=True)
        elif word in _BREAKS:
            self._say(_BREAKS[word])
        return 0

    def _charset(self, charset: str) -> None:
        if charset != self._state.charset:
            self._flush()
            self._state = self._state._replace(charset=charset)

    def _unicode(self, number: int) -> None:
        """Letters above 32767 are written as negative numbers, those of the upper planes as two surrogates."""
        self._flush()
        self._say(chr(number & 0xFFFF))
        self._owed = self._state.width

    def _letters(self, letters: bytes) -> None:
        if self._owed:
            passed = min(self._owed, len(letters))
            self._owed -= passed
            letters = letters[passed:]
        if self._seen:
            self._waiting += letters

    @property
    def _seen(self) -> bool:
        state = self._state
        return not state.skipped and not (self._html and state.hushed and not state.tag)

    def _say(self, text: str) -> None:
        self._flush()
        self._owed = 0
        if self._seen:
            self._out.append(text)

    def _flush(self) -> None:
        if self._waiting:
            data = bytes(self._waiting)
            self._out.append(data.decode("ascii") if data.isascii() else decode(data, self._state.charset).text)
            self._waiting.clear()


def joined(text: str) -> str:
    """Surrogates in pairs as the one character they stand for; lone ones go."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
