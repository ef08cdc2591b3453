"""Objects to and from PDF syntax (ISO 32000-2 §7.2 and §7.3). No recursion: nesting lives on a list."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value
from sanitizers.model import Malformed

WHITE: Final = rb"[\x00\t\n\f\r ]"
REGULAR: Final = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]"
DEPTH: Final = 500
_LARGEST: Final = 3.403e38

# Two levels of balanced parentheses; deeper ones are rare and go through `literal_end`.
_INNER: Final = rb"\((?:[^()\\]++|\\[\x00-\xff])*+\)"
LITERAL: Final = rb"\((?:[^()\\]++|\\[\x00-\xff]|" + _INNER + rb")*+\)"
HEX: Final = rb"<[0-9A-Fa-f\x00\t\n\f\r ]*+>"
NUMBER: Final = rb"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)"

_TOKEN: Final = re.compile(
    rb"(?:" + WHITE + rb"++|%[^\r\n]*+)*+(?:"
    rb"/(" + REGULAR + rb"*+)"
    rb"|([0-9]++) ([0-9]++) R(?!" + REGULAR + rb")"
    rb"|(" + NUMBER + rb")(?!" + REGULAR + rb")"
    rb"|(" + LITERAL + rb")"
    rb"|(" + HEX + rb")"
    rb"|(<<)|(>>)|(\[)|(\])"
    rb"|(" + REGULAR + rb"++)"
    rb"|([\x00-\xff]))"
)
NAME, REF_GENERATION, NUMERIC, LITERAL_STRING, HEX_STRING = 1, 3, 4, 5, 6
OPEN_DICTIONARY, CLOSE_DICTIONARY, OPEN_ARRAY, CLOSE_ARRAY, WORD, STRAY = 7, 8, 9, 10, 11, 12

# The rest of an array of numbers only, or of references only: most of what is long in a file.
_NUMBERS: Final = re.compile(rb"((?:" + WHITE + rb"++|" + NUMBER + rb"(?=[\x00\t\n\f\r \]]))*+)\]")
_REFERENCES: Final = re.compile(rb"((?:" + WHITE + rb"*+[0-9]{1,10} [0-9]{1,6} R(?=[\x00\t\n\f\r \]]))++)" + WHITE + rb"*+\]")
_REFERENCE: Final = re.compile(rb"([0-9]++) ([0-9]++) R")

_WORDS: Final[dict[bytes, Value]] = {b"true": True, b"false": False, b"null": None}
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[\x00-\xff]))|(\r\n?)")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"", b"\r\n": b""}
_PARENTHESIS: Final = re.compile(rb"\\[\x00-\xff]|[()]")
_NAME_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME_UNSAFE: Final = re.compile(rb"[^!\"$&-'*-.0-;=?-Z\\^-z|~]")
_STRING_UNSAFE: Final = re.compile(rb"[\\()\r]")


class Broken(Malformed):
    """What is no object. `position`: behind all that was looked at in vain, so that reading on from there takes linear time."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(detail)
        self.position = position


def token(text: bytes, position: int) -> re.Match[bytes] | None:
    """The next token: `lastindex` says which kind. None at the end."""
    return _TOKEN.match(text, position)


def parse(text: bytes) -> Value:
    """The one object in `text`. Raises Malformed when there is more or less than one, or it is nested deeper than 500."""
    value, end = parse_at(text, 0)
    if text[end:].strip(b"\x00\t\n\f\r "):
        raise Malformed("more than one object where one belongs")
    return value


def parse_at(text: bytes, position: int) -> tuple[Value, int]:
    """The object at `position` and where it ends. Raises Broken."""
    frames: list[tuple[list[Value], bool]] = []
    value: Value
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise Broken("an object ends too early", len(text))
        position, kind = match.end(), match.lastindex
        if kind == OPEN_ARRAY and (found := _uniform(text, position)) is not None:
            value, position = found
        elif kind in (OPEN_ARRAY, OPEN_DICTIONARY):
            frames.append(([], kind == OPEN_DICTIONARY))
            if len(frames) > DEPTH:
                raise Broken("objects are nested too deep", position)
            continue
        elif kind in (CLOSE_ARRAY, CLOSE_DICTIONARY):
            if not frames or frames[-1][1] is not (kind == CLOSE_DICTIONARY):
                raise Broken("brackets do not match", position)
            items, dictionary = frames.pop()
            value = _dictionary(items, position) if dictionary else items
        elif kind == LITERAL_STRING or (kind == STRAY and match[STRAY] == b"("):
            end = literal_end(text, match.end(kind) - 1) if kind == STRAY else position
            value, position = unescape(text[match.start(kind) + 1 : end - 1]), end
        else:
            value = scalar(match)
        if not frames:
            return value, position
        frames[-1][0].append(value)


def _uniform(text: bytes, position: int) -> tuple[list[Value], int] | None:
    """An array of numbers or of references from behind its bracket, and where it ends."""
    if match := _NUMBERS.match(text, position):
        return [number(item) for item in match[1].replace(b"\x00", b" ").split()], match.end()
    if match := _REFERENCES.match(text, position):
        return [Ref(int(one), int(generation)) for one, generation in _REFERENCE.findall(match[1])], match.end()
    return None


def scalar(match: re.Match[bytes]) -> Value:
    """The value of a token that is neither a bracket nor a literal string. Raises Broken."""
    kind = match.lastindex
    if kind == NAME:
        return decode_name(match[NAME])
    if kind == NUMERIC:
        return number(match[NUMERIC])
    if kind == REF_GENERATION:
        return Ref(int(match[2][:10]), int(match[3][:6]))
    if kind == HEX_STRING:
        return hex_string(match[HEX_STRING])
    if kind == WORD and match[WORD] in _WORDS:
        return _WORDS[match[WORD]]
    raise Broken("a token that is no object", match.end())


def _dictionary(items: list[Value], position: int) -> Dictionary:
    keys = items[::2]
    if len(items) % 2 or not all(isinstance(key, Name) for key in keys):
        raise Broken("a dictionary without pairs", position)
    return {str(key): value for key, value in zip(keys, items[1::2], strict=True)}


def number(text: bytes) -> int | float:
    """Integers beyond 15 digits become reals, as in every viewer, and none is larger than Annex C has them."""
    if len(text) < 16 and b"." not in text:
        return int(text)
    return float(text) if len(text) < 38 else max(-_LARGEST, min(_LARGEST, float(text)))


@lru_cache(maxsize=8192)
def decode_name(text: bytes) -> Name:
    if b"#" in text:
        text = _NAME_ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), text)
    return Name(text.decode("utf-8", "surrogateescape"))


def hex_string(text: bytes) -> bytes:
    digits = text[1:-1].translate(None, b"\x00\t\n\f\r ")
    return binascii.unhexlify(digits + b"0" * (len(digits) % 2))


def literal_end(text: bytes, start: int) -> int:
    """Where the literal string that opens at `start` has its closing parenthesis, plus one. Raises Broken."""
    depth = 0
    for match in _PARENTHESIS.finditer(text, start):
        if match[0] == b"(":
            depth += 1
        elif match[0] == b")":
            depth -= 1
            if not depth:
                return match.end()
    raise Broken("a string without its end", len(text))


def unescape(text: bytes) -> bytes:
    """The bytes of a literal string without its outer parentheses."""
    if b"\\" not in text and b"\r" not in text:
        return text
    return _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes((int(match[1], 8) & 255,))
    if match[3]:
        return b"\n"
    return _ESCAPES.get(match[2], match[2])


def serialize(value: Value, refer: Callable[[Ref], bytes] = lambda ref: b"%d %d R" % ref) -> bytes:
    """PDF syntax of a value without streams; `refer` writes the references. Recursion is bounded: values have passed a shape."""
    out: list[bytes] = []
    _write(value, out.append, refer)
    return b"".join(out)


def _write(value: Value, out: Callable[[bytes], None], refer: Callable[[Ref], bytes]) -> None:
    kind = type(value)
    if kind in _ATOMS:
        out(_ATOMS[kind](value))
    elif kind is Ref:
        out(refer(value))
    elif kind is dict:
        out(b"<<")
        for key in sorted(value):  # the same file, whatever order the input had
            item = value[key]
            out(encode_name(key) if type(item) in _DELIMITED else encode_name(key) + b" ")
            _write(item, out, refer)
        out(b">>")
    elif kind is list:
        gap = b"["
        for item in value:
            out(gap)
            _write(item, out, refer)
            gap = b" "
        out(b"]" if value else b"[]")
    else:
        raise TypeError(kind.__name__)


def real(value: float) -> bytes:
    """At most ten decimals, never an exponent."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return b"0" if text in {"-0", ""} else text.encode()


@lru_cache(maxsize=8192)
def encode_name(name: str) -> bytes:
    raw = name.encode("utf-8", "surrogateescape")
    return b"/" + _NAME_UNSAFE.sub(lambda match: b"#%02X" % match[0][0], raw)


def string(value: bytes) -> bytes:
    """Literal where that is shorter, else hexadecimal."""
    if sum(byte < 32 or byte > 126 for byte in value[:64]) * 3 > len(value[:64]):
        return b"<" + binascii.hexlify(value) + b">"
    return b"(" + _STRING_UNSAFE.sub(lambda match: b"\\r" if match[0] == b"\r" else b"\\" + match[0], value) + b")"


_DELIMITED: Final = frozenset((dict, list, Name, bytes))
_ATOMS: Final[dict[type, Callable[[Any], bytes]]] = {
    Name: encode_name, bytes: string, bool: lambda value: b"true" if value else b"false", int: b"%d".__mod__, float: real,
    type(None): lambda _value: b"null",
}
