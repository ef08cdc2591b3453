"""Content streams, read and written again (ISO 32000-2 §7.8.2): known operators with the right operands only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sanitizers.formats.pdf import operators, syntax
from sanitizers.formats.pdf.values import Dictionary, Name, Value, is_number
from sanitizers.model import LimitExceeded

# (dictionary of the image, its data) -> the whole inline image anew, or None to leave it out
Inline = Callable[[Dictionary, bytes], bytes | None]

_MAX_OPERANDS: Final = 64
_MAX_LEFT: Final = 250_000
_MAX_NAMED: Final = 100
_TOLERATED: Final = re.compile(rb"([+-]*)([0-9]*)(\.[0-9]*)?")
_END_OF_IMAGE: Final = re.compile(rb"[\x00\t\n\f\r ]EI(?=[\x00\t\n\f\r /]|\Z)")
_PLAUSIBLE: Final = re.compile(rb"[\t\n\f\r\x20-\x7e]{0,12}\Z|[\t\n\f\r\x20-\x7e]{12}")
_WHITE: Final = b"\x00\t\n\f\r "

# Digests of streams of known instructions alone, and the names in them: the second pass meets each of them again.
_PLAIN: Final[dict[bytes, frozenset[str]]] = {}
_MAX_PLAIN: Final = 100_000


@dataclass(slots=True)
class Content:
    """A rebuilt content stream, the resource names in it, and what stayed behind."""

    data: bytes = b""
    names: frozenset[str] = frozenset()
    complete: bool = True               # False: it ends inside an instruction
    left: set[str] = field(default_factory=set)
    _count: int = 0

    def leave(self, what: str) -> None:
        """Something that no viewer can use. Raises LimitExceeded when there is hardly anything else."""
        self._count += 1
        if self._count > _MAX_LEFT:
            raise LimitExceeded(f"more than {_MAX_LEFT} broken instructions in one content stream")
        if len(self.left) < _MAX_NAMED:
            self.left.add(what)


def rebuild(data: bytes, inline: Inline) -> Content:
    """What no viewer can use is left out and noted. Raises LimitExceeded for nothing but that."""
    digest = hashlib.sha256(data).digest()
    if digest in _PLAIN:
        return Content(data, _PLAIN[digest])
    out: list[bytes] = []
    content = Content()
    position = 0
    while position < len(data):
        end = operators.run(data, position)
        out.append(data[position:end])
        if position < end < len(data) and data[end - 1] not in _WHITE:
            out.append(b"\n")       # the delimiter that ends the last operator may be left out
        position = _instruction(data, end, out, content, inline) if end < len(data) else end
    content.data = b"".join(out)
    content.names = frozenset(map(syntax.decode_name, set(operators.NAMES.findall(content.data))))
    if len(out) == 1 and content.data == data and len(_PLAIN) < _MAX_PLAIN:
        _PLAIN[digest] = content.names
    return content


def _instruction(data: bytes, position: int, out: list[bytes], content: Content, inline: Inline) -> int:
    """One instruction that the fast grammar does not know: written canonically, or noted and left out. Returns where it ends."""
    operands: list[Value] = []
    while (match := syntax.token(data, position)) is not None:
        word = match[syntax.WORD]
        if word is None or word in (b"true", b"false", b"null"):
            position = _operand(data, match, operands, content)
            continue
        position = match.end()
        if (loose := _loose_number(word)) is not None:
            operands.append(loose)
        elif word == b"BI":
            return _inline_image(data, position, out, content, inline)
        else:
            _write(word, operands, out, content)
            return position
    if operands:
        content.complete = False
    return len(data)


def _operand(data: bytes, match: re.Match[bytes], operands: list[Value], content: Content) -> int:
    """Adds the operand at `match`; what is none is stepped over. Returns where it ends."""
    start = match.start(match.lastindex or 0) - (match.lastindex == syntax.NAME)    # with its slash
    try:
        value, end = syntax.parse_at(data, start)
    except syntax.Broken as broken:
        content.leave("a byte that belongs to no instruction")
        content.complete = broken.position < len(data)
        return broken.position
    operands.append(value)
    if len(operands) > _MAX_OPERANDS:
        del operands[0]
    return end


def _loose_number(word: bytes) -> float | None:
    """`--5`, `1.-2`: numbers that viewers read up to the first odd sign."""
    match = _TOLERATED.match(word)
    if match is None or not (match[2] or (match[3] or b"") > b".") or word.lstrip(b"+-.0123456789"):
        return None
    value = float((match[2] or b"0") + (match[3] or b""))
    return -value if match[1].startswith(b"-") else value


def _write(word: bytes, operands: list[Value], out: list[bytes], content: Content) -> None:
    """The instruction in canonical form if it is a known one with enough right operands."""
    fitting = _fit(word, operands)
    if fitting is None:
        content.leave(f"operator {word[:20].decode('latin-1')}")
        return
    out.append(b" ".join([*map(syntax.serialize, fitting), word]) + b"\n")


def _fit(word: bytes, operands: list[Value]) -> list[Value] | None:
    """The last operands, as many as the operator takes; viewers ignore earlier ones."""
    if word in operators.COLOURS:
        return _colour(word, operands)
    kinds = operators.OPERANDS.get(word)
    if kinds is None or len(operands) < len(kinds):
        return None
    chosen = operands[len(operands) - len(kinds) :]
    fitted = [_FITS[kind](value) for kind, value in zip(kinds, chosen, strict=True)]
    return None if any(value is None for value in fitted) else fitted


def _colour(word: bytes, operands: list[Value]) -> list[Value] | None:
    numbers = operands[:-1] if operands and isinstance(operands[-1], Name) and word in operators.PATTERN_COLOURS else operands
    if not operands or len(operands) > operators.MAX_COMPONENTS or not all(map(is_number, numbers)):
        return None
    return operands


def _string(value: Value) -> Value:
    return value if isinstance(value, bytes) else None


def _name(value: Value) -> Value:
    return value if isinstance(value, Name) else None


def _numeric(value: Value) -> Value:
    return value if is_number(value) else None


def _array(value: Value) -> Value:
    return [item for item in value if is_number(item) or isinstance(item, bytes)] if isinstance(value, list) else None


def _dashes(value: Value) -> Value:
    return [item for item in value if is_number(item)] if isinstance(value, list) else None


def _property(value: Value) -> Value:
    if isinstance(value, Name):
        return value
    if not isinstance(value, dict):
        return None
    return {key: item for key, item in value.items() if key in operators.PROPERTIES and _plain(item)}


def _plain(value: Value) -> bool:
    if isinstance(value, list):
        return all(is_number(item) or isinstance(item, Name) for item in value)
    return isinstance(value, bytes | Name | bool) or is_number(value)


_FITS: Final[dict[str, Callable[[Value], Value]]] = {
    "n": _numeric, "s": _string, "a": _array, "d": _dashes, "N": _name, "P": _property,
}


def _inline_image(data: bytes, position: int, out: list[bytes], content: Content, inline: Inline) -> int:
    """From after `BI` to after `EI`."""
    fields: Dictionary = {}
    while (match := syntax.token(data, position)) is not None and match.lastindex == syntax.NAME:
        try:
            fields[str(syntax.scalar(match))], position = syntax.parse_at(data, match.end())
        except syntax.Broken:
            break
    if match is None or match[syntax.WORD] != b"ID":
        content.leave("inline image without data")
        return match.end() if match is not None else len(data)
    start = match.end() + (data[match.end() : match.end() + 1] in _WHITE_BYTES)
    end, after = _image_end(data, start)
    content.complete = end < len(data)
    image = inline(fields, data[start:end])
    if image is None:
        content.leave("inline image")
    else:
        out.append(image + b"\n")
    return after


_WHITE_BYTES: Final = frozenset(_WHITE[index : index + 1] for index in range(len(_WHITE)))


def _image_end(data: bytes, start: int) -> tuple[int, int]:
    """End of the data and end of `EI`: the first one between white space that text follows, as viewers search it."""
    for match in _END_OF_IMAGE.finditer(data, max(0, start - 1)):
        if _PLAUSIBLE.match(data, match.end()):
            return max(start, match.start()), match.end()
    return len(data), len(data)
