"""Functions (ISO 32000-2 §7.10): sampled, exponential, stitching, and calculators once their program is parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.shapes import LEFT, OMIT, array, integer, number, numbers, shape, shared
from sanitizers.formats.pdf.values import Name, Stream, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_INTERVALS: Final = numbers(2, 128)
_VALUES: Final = numbers(1, 64)
_COMMON: Final = {"Domain": _INTERVALS, "Range": _INTERVALS}
_STREAM_KEYS: Final = "Length Filter DecodeParms DL FunctionType"
_SAMPLED: Final = shape(
    {**_COMMON, "Size": array(integer, 1, 16), "BitsPerSample": integer, "Order": integer, "Encode": _INTERVALS, "Decode": _INTERVALS},
    _STREAM_KEYS,
)
_EXPONENTIAL: Final = shape({**_COMMON, "C0": _VALUES, "C1": _VALUES, "N": number}, _STREAM_KEYS)
_CALCULATOR: Final = shape(_COMMON, _STREAM_KEYS)

_OPERATORS: Final = frozenset(
    b"abs add atan ceiling cos cvi cvr div exp floor idiv ln log mod mul neg round sin sqrt sub truncate "
    b"and bitshift eq false ge gt le lt ne not or true xor if ifelse copy dup exch index pop roll".split()
)
_TOKEN: Final = re.compile(rb"[\x00\t\n\f\r ]*+(?:%[^\r\n]*+[\x00\t\n\f\r ]*+)*+([{}]|[^\x00\t\n\f\r {}%]++)")
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?\Z")
_MAX_TOKENS: Final = 100_000
_MAX_NESTING: Final = 32


def function(copier: Copier, value: Value, where: str) -> Value:
    """Any function."""
    found = copier.resolve(value)
    fields = copier.reader.dictionary(found)
    kind = copier.resolve(fields.get("FunctionType"))
    if isinstance(found, Stream) and kind in (0, 4):
        return _sampled(copier, found, where) if kind == 0 else _calculator(copier, found, where)
    if isinstance(found, dict) and kind == 2:
        return {"FunctionType": 2, **copier.fields(found, _EXPONENTIAL, where)}
    if isinstance(found, dict) and kind == 3:
        return {"FunctionType": 3, **copier.fields(found, _STITCHING, where)}
    return OMIT


FUNCTION: Final = shared(function)
_STITCHING: Final = shape(
    {**_COMMON, "Functions": array(FUNCTION, 1, 4096), "Bounds": numbers(0, 4096), "Encode": numbers(2, 8192)}, _STREAM_KEYS
)


def function_or_functions(copier: Copier, value: Value, where: str) -> Value:
    """One function with n outputs, or n functions with one each."""
    if isinstance(copier.resolve(value), list):
        return array(FUNCTION, 1, 64)(copier, value, where)
    return FUNCTION(copier, value, where)


def transfer(copier: Copier, value: Value, where: str) -> Value:
    """A transfer function: Identity, Default, a function, or four of either."""
    if isinstance(copier.resolve(value), list):
        return _TRANSFERS(copier, value, where)
    return _transfer(copier, value, where)


def _transfer(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if isinstance(found, Name):
        return found if found in ("Identity", "Default") else OMIT
    return FUNCTION(copier, value, where)


_TRANSFERS: Final = array(_transfer, 4, 4)


def _sampled(copier: Copier, stream: Stream, where: str) -> Value:
    fields = copier.fields(stream.fields, _SAMPLED, where)
    data = copier.content_of(stream, where)
    if data is None or not {"Domain", "Range", "Size", "BitsPerSample"} <= fields.keys():
        return OMIT
    bits = fields["BitsPerSample"] * len(fields["Range"]) // 2
    for size in fields["Size"]:
        bits *= max(0, size)
    return copier.writer.add_deflated({"FunctionType": 0, **fields}, data[: (bits + 7) // 8])


def _calculator(copier: Copier, stream: Stream, where: str) -> Value:
    fields = copier.fields(stream.fields, _CALCULATOR, where)
    data = copier.content_of(stream, where)
    program = None if data is None else calculator(data)
    if program is None:
        copier.drop("pdf.invalid_function", where)
        return LEFT
    return copier.writer.add_deflated({"FunctionType": 4, **fields}, program)


def calculator(data: bytes) -> bytes | None:
    """The PostScript calculator program written anew (§7.10.5), or None when it is anything else."""
    out: list[bytes] = []
    depth = 0
    for match in _TOKEN.finditer(data):
        word = match[1]
        if (out and not depth) or len(out) > _MAX_TOKENS:
            return None if word.strip(b"\x00") else b" ".join(out)
        if word in b"{}":
            depth += 1 if word == b"{" else -1
            if not 0 <= depth <= _MAX_NESTING:
                return None
        elif not depth or not (word in _OPERATORS or _NUMBER.match(word)):
            return None
        out.append(word)
    return b" ".join(out) if out and not depth else None


