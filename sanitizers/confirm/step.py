"""Drawings of SXF: STEP files (.p21) and their short form in feature comments (.sfc). Every token up to the last, and nothing after it.

Refuses: comments with anything but blanks or features, references to instances that are not there, control characters,
names of files elsewhere
Spec: ISO 10303-21:2002 (clear text encoding); SXF Ver. 3.1 feature comment specification (OCF)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sanitizers import charset
from sanitizers.context import Context
from sanitizers.model import LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_LARGEST: Final = 256 << 20
_DEEPEST: Final = 64
_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<string>'(?:[^'\x00-\x1f\x7f]|'')*')"
    r"|(?P<instance>\#\d{1,12})"
    r"|(?P<number>[+-]?\d{1,400}(?:\.\d{0,400}(?:[eE][+-]?\d{1,4})?)?)"
    r"|(?P<enumeration>\.[A-Za-z_][A-Za-z0-9_]{0,200}\.)"
    r'|(?P<binary>"[0-3][0-9A-F]{0,100000}")'
    r"|(?P<keyword>!?[A-Za-z_][A-Za-z0-9_-]{0,200})"
    r"|(?P<sign>[()=;,$*])"
)
_HEADER: Final = ("FILE_DESCRIPTION", "FILE_NAME", "FILE_SCHEMA")
# One feature: its number, its name and its values in quotes, each value between ' and ' or between \' and \'.
_PLAIN: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_VALUE: Final = rf"(?:\\'(?:[^'\\{_PLAIN}]|\\(?!'))*\\'|'(?:[^'{_PLAIN}]|'')*')"
_SPACE: Final = r"[ \t\r\n]{0,20}"
_FEATURE: Final = re.compile(
    rf"{_SPACE}\#(\d{{1,12}})[ \t]{{0,9}}=[ \t]{{0,9}}([a-z_0-9]{{1,64}})[ \t]{{0,9}}\("
    rf"{_SPACE}(?:{_VALUE}{_SPACE}(?:,{_SPACE}{_VALUE}{_SPACE})*)?\){_SPACE}"
)
_BEGIN, _END = "/*SXF", "SXF*/"
_VERSION: Final = re.compile(r"(?:3(?:\.\d)?)?")
_ELSEWHERE: Final = re.compile(r"\\\\[^\s\\'X]|://|file:|javascript:", re.IGNORECASE)


def check_p21(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`), LimitExceeded."""
    text = _text(source, context)
    defined, used = _walk(_Tokens(_without_comments(text)))
    if missing := used - defined:
        raise Malformed(f"{len(missing)} references to instances that are not there, first #{min(missing)}")
    return f"{len(defined)} instances"


def check_sfc(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`), LimitExceeded."""
    text = _text(source, context)
    features, rest = _features(text)
    defined, _ = _walk(_Tokens(rest))
    if defined:
        raise Malformed("instances beside features")
    if not features:
        raise Malformed("no feature")
    return f"{features} features"


def _text(source: Source, context: Context) -> str:
    if len(source) > _LARGEST:
        raise LimitExceeded(f"drawing of {len(source)} bytes")
    context.budget.spend_bytes(len(source))
    decoded = charset.decode(source.bytes())
    if decoded.replaced:
        raise Malformed(f"{decoded.replaced} unreadable characters")
    if found := _ELSEWHERE.search(decoded.text):
        raise Unsupported(f"names something elsewhere: {found[0]}", code="confirm.foreign")
    return decoded.text


def _features(text: str) -> tuple[int, str]:
    """How many features the comments hold, and the text without them."""
    pieces: list[str] = []
    numbers: set[int] = set()
    at = count = 0
    while (begin := text.find("/*", at)) >= 0:
        end = text.find("*/", begin + 2)
        inside = text[begin : end + 2]
        if end < 0 or not (inside.startswith(_BEGIN) and inside.endswith(_END)):
            raise Malformed("comment that is no feature")
        pieces.append(text[at:begin])
        body = inside[len(_BEGIN) : -len(_END)]
        body = body[_version(body) :]
        place = 0
        while place < len(body.rstrip()):
            match = _FEATURE.match(body, place)
            if match is None:
                raise Malformed(f"feature {count + 1}")
            if int(match[1]) in numbers:
                raise Malformed(f"feature number {match[1]} twice")
            numbers.add(int(match[1]))
            place, count = match.end(), count + 1
        at = end + 2
    return count, "".join((*pieces, text[at:]))


def _version(body: str) -> int:
    """SXF3 and SXF3.1 mark features of later versions: /*SXF3 … SXF3*/ keeps its number at both ends."""
    match = _VERSION.match(body)
    return match.end() if match else 0


def _without_comments(text: str) -> str:
    """Comments of a plain STEP file may only be blank or ruled lines."""
    pieces, at = [], 0
    while (begin := text.find("/*", at)) >= 0:
        end = text.find("*/", begin + 2)
        if end < 0 or text[begin + 2 : end].strip(" \t\r\n*-=_"):
            raise Malformed("comment with a content")
        pieces.append(text[at:begin])
        at = end + 2
    return "".join((*pieces, text[at:]))


class _Tokens:
    """The tokens of a clear text, one ahead."""

    def __init__(self, text: str) -> None:
        self._stream = self._read(text)
        self.kind, self.text = next(self._stream, ("end", ""))

    @staticmethod
    def _read(text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Malformed(f"character {at}: no token")
            at = match.end()
            if match.lastgroup != "blank":
                yield str(match.lastgroup), match[0]

    def next(self) -> str:
        text = self.text
        self.kind, self.text = next(self._stream, ("end", ""))
        return text

    def expect(self, *words: str) -> None:
        for word in words:
            if self.text != word:
                raise Malformed(f"{self.text[:40]!r} instead of {word!r}")
            self.next()


def _walk(tokens: _Tokens) -> tuple[set[int], set[int]]:
    """The whole exchange structure; which instances it defines, and to which it refers."""
    defined: set[int] = set()
    used: set[int] = set()
    tokens.expect("ISO-10303-21", ";", "HEADER", ";")
    for word in _HEADER:
        tokens.expect(word)
        _parameters(tokens, used)
        tokens.expect(";")
    tokens.expect("ENDSEC", ";")
    while tokens.text == "DATA":
        tokens.expect("DATA", ";")
        while tokens.kind == "instance":
            number = int(tokens.next()[1:])
            if number in defined:
                raise Malformed(f"instance #{number} twice")
            defined.add(number)
            tokens.expect("=")
            _records(tokens, used)
            tokens.expect(";")
        tokens.expect("ENDSEC", ";")
    tokens.expect("END-ISO-10303-21", ";")
    if tokens.kind != "end":
        raise Malformed("text after the end")
    return defined, used


def _records(tokens: _Tokens, used: set[int]) -> None:
    """A simple record, or several in brackets."""
    if tokens.text != "(":
        _record(tokens, used)
        return
    tokens.next()
    while tokens.text != ")":
        _record(tokens, used)
    tokens.next()


def _record(tokens: _Tokens, used: set[int]) -> None:
    if tokens.kind != "keyword":
        raise Malformed(f"{tokens.text[:40]!r} instead of a record")
    tokens.next()
    _parameters(tokens, used)


def _parameters(tokens: _Tokens, used: set[int]) -> None:
    """A list in brackets of values and lists, with commas between them."""
    tokens.expect("(")
    depth, wanted, comma = 1, True, False         # a value may come, or after a comma has to
    while depth:
        kind, text = tokens.kind, tokens.next()
        if text == "(":
            depth += 1
            if not wanted or depth > _DEEPEST:
                raise Malformed("brackets")
        elif text == ")":
            if comma:
                raise Malformed("comma without a value")
            depth, wanted = depth - 1, False
        elif text == ",":
            if wanted:
                raise Malformed("comma without a value")
            wanted = True
        elif kind == "end" or text in "=;" or not wanted:
            raise Malformed(f"{text[:40]!r} in a list of values")
        elif kind == "keyword":
            if tokens.text != "(":
                raise Malformed("typed value")
        else:
            wanted = False
            if kind == "instance":
                used.add(int(text[1:]))
        comma = text == ","
