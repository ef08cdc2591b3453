"""RTF as a tree of groups (RTF 1.9.1, "Formal syntax"): control words, bytes of text, Unicode letters, binary data.

What stands for a Unicode letter in readers that know none (`\\uc`) is no part of the tree.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.model import LimitExceeded, Malformed

_DEPTH: Final = 120
_MOST: Final = 3_000_000        # tokens of one document
_LETTERS: Final = 40            # of one control word
_DIGITS: Final = 10
_WIDEST: Final = 16             # letters that may stand for one Unicode letter
_TOKEN: Final = re.compile(
    rb"\\(?P<word>[A-Za-z]++)(?P<number>-?[0-9]++)? ?|(?P<text>(?:[^\\{}]++|\\'[0-9A-Fa-f]{2})++)|(?P<brace>[{}])"
    rb"|\\(?P<sign>[^A-Za-z'])|(?P<nothing>\\'?)",
    re.DOTALL,
)
_ESCAPES: Final = re.compile(rb"(?:\\'[0-9A-Fa-f]{2})++")
_NOTHING: Final = b"\r\n\x00"    # between letters


class Word(NamedTuple):
    """A control word without its backslash; a control symbol likewise (`*`, `~`, `-`, `_`, `|`, `:`)."""

    name: str
    number: int | None = None


class Letter(NamedTuple):
    """A UTF-16 code unit."""

    unit: int


class Binary(NamedTuple):
    """What `\\bin` brought."""

    data: bytes


class Group(list["Node"]):
    """What stands between two braces."""


Node = Group | Word | Letter | Binary | bytes


class Document(NamedTuple):
    """The first group of a file, how many bytes follow it, and whether its end was missing."""

    root: Group
    after: int
    cut: bool


def read(data: bytes) -> Document:
    """Raises Malformed where there is no group or binary data runs past the end, LimitExceeded past depth and tokens."""
    start = data.find(b"{")
    if start < 0 or data[:start].strip(b"\xef\xbb\xbf \t\r\n"):
        raise Malformed("no group")
    return _Reader(data).read(start)


def letters(spelt: bytes) -> bytes:
    """The bytes that are meant by text with escapes (`\\'82\\'a0`)."""
    plain = spelt.translate(None, _NOTHING)
    return _ESCAPES.sub(lambda match: bytes.fromhex(match[0].replace(b"\\'", b"").decode()), plain)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._open: list[tuple[Group, int]] = []    # groups around the present one, each with its width of a letter
        self._group = Group()
        self._width = 1
        self._owed = 0              # letters to pass over after a Unicode letter
        self._waiting = bytearray()
        self._ended = 0

    def read(self, start: int) -> Document:
        at, end, tokens = start, len(self._data), 0
        root: Group | None = None
        while at < end and not self._ended:
            match = _TOKEN.match(self._data, at)
            if match is None or (tokens := tokens + 1) > _MOST:
                raise LimitExceeded(f"more than {_MOST} tokens")
            at = match.end()
            if match.lastgroup == "brace":
                self._brace(match["brace"], at)
                root = root if root is not None else self._group
            else:
                at += self._take(match)
        self._flush()
        assert root is not None, "the first token is a brace"
        rest = self._data[self._ended :].strip(b"\x00\t\n\r ") if self._ended else b""
        return Document(root, len(rest), not self._ended)

    def _brace(self, brace: bytes, at: int) -> None:
        self._flush()
        self._owed = 0
        if brace == b"{":
            if len(self._open) >= _DEPTH:
                raise LimitExceeded(f"groups are nested deeper than {_DEPTH}")
            inner = Group()
            if self._open:
                self._group.append(inner)
            self._open.append((self._group, self._width))
            self._group = inner
            return
        self._group, self._width = self._open.pop()
        if not self._open:
            self._ended = at

    def _take(self, match: re.Match[bytes]) -> int:
        """One token that is no brace; how many bytes behind it belong to it."""
        kind = match.lastgroup
        if kind == "text":
            self._text(letters(match["text"]))
        elif kind == "sign":
            self._sign(match["sign"])
        elif kind != "nothing":
            return self._word(match)
        return 0

    def _text(self, found: bytes) -> None:
        passed = min(self._owed, len(found))
        self._owed -= passed
        self._waiting += found[passed:] if passed else found

    def _sign(self, sign: bytes) -> None:
        if sign in (b"{", b"}", b"\\"):
            self._text(sign)
        elif self._owed:
            self._owed -= 1
        elif sign in (b"\r", b"\n"):
            self._put(Word("par"))
        elif sign in (b"*", b"~", b"-", b"_", b"|", b":"):
            self._put(Word(sign.decode()))
        elif sign == b"\t":
            self._put(Word("tab"))

    def _word(self, match: re.Match[bytes]) -> int:
        name, digits = match["word"].decode()[:_LETTERS], match["number"]
        number = int(digits) if digits is not None and len(digits) <= _DIGITS + 1 else None
        if name == "bin":
            return self._binary(match.end(), max(number or 0, 0))
        if self._owed:
            self._owed -= 1
        elif name == "u":
            if number is not None:
                self._put(Letter(number & 0xFFFF))
            self._owed = self._width
        elif name == "uc":
            self._width = min(max(number or 0, 0), _WIDEST)
        else:
            self._put(Word(name, number))
        return 0

    def _binary(self, start: int, size: int) -> int:
        if start + size > len(self._data):
            raise Malformed("binary data past the end", code="rtf.binary")
        if self._owed:
            self._owed -= 1
        else:
            self._put(Binary(self._data[start : start + size]))
        return size

    def _put(self, node: Node) -> None:
        self._flush()
        self._group.append(node)

    def _flush(self) -> None:
        if self._waiting:
            self._group.append(bytes(self._waiting))
            self._waiting.clear()
