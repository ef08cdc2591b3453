"""Stream filters (ISO 32000-2 §7.4), decoded under the budget's cap; image filters are left to `images`."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Final, NamedTuple

from isal import isal_zlib

from sanitizers.budget import Budget
from sanitizers.formats.pdf.reader import Reader
from sanitizers.formats.pdf.values import Dictionary, Name, Stream, Value, is_integer
from sanitizers.model import LimitExceeded, Malformed

LONG_NAMES: Final = {
    "AHx": "ASCIIHexDecode", "A85": "ASCII85Decode", "LZW": "LZWDecode", "Fl": "FlateDecode",
    "RL": "RunLengthDecode", "CCF": "CCITTFaxDecode", "DCT": "DCTDecode",
}
IMAGE_FILTERS: Final = frozenset({"DCTDecode", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode"})
_PREDICTING: Final = frozenset({"FlateDecode", "LZWDecode"})
_CHAIN: Final = 8


class Decoded(NamedTuple):
    """What is left after the general filters: bytes and, for an image, its own filter or `Predictor` with the parameters."""

    data: bytes
    image_filter: str | None
    parameters: Dictionary


PREDICTOR: Final = "Predictor"


def decode(stream: Stream, reader: Reader, budget: Budget) -> Decoded:
    """Undo every filter up to an image filter. Raises Malformed for an unknown filter, LimitExceeded past the budget."""
    return decode_raw(stream.raw(), stream.fields, reader, budget)


def content(stream: Stream, reader: Reader, budget: Budget) -> bytes:
    """The bytes of a stream that is no image. Raises Malformed when an image filter is in its way."""
    decoded = decode(stream, reader, budget)
    if decoded.image_filter is not None:
        raise Malformed(f"{decoded.image_filter} where no image belongs")
    return decoded.data


def decode_raw(data: bytes, fields: Dictionary, reader: Reader, budget: Budget, *, predicted: bool = False) -> Decoded:
    """As `decode`, for bytes and the dictionary that describes them (short or long key names).

    `predicted`: the rows of a last predictor stay as they are, and `image_filter` says `Predictor`. Raises Malformed.
    """
    if fields.get("Filter") == "FlateDecode" and "DecodeParms" not in fields and "DP" not in fields:   # nearly every stream
        return Decoded(inflate(data, budget), None, {})
    names = _many(reader, fields.get("Filter", fields.get("F")))
    parameters = _many(reader, fields.get("DecodeParms", fields.get("DP")))
    if len(names) > _CHAIN:
        raise Malformed(f"{len(names)} filters on one stream")
    for index, short in enumerate(names):
        name = LONG_NAMES.get(short, short) if isinstance(short, Name) else ""
        given = reader.dictionary(parameters[index]) if index < len(parameters) else {}
        given = {key: reader.resolve(value) for key, value in given.items()}
        if name in IMAGE_FILTERS:
            if index != len(names) - 1:
                raise Malformed(f"{name} is not the last filter")
            return Decoded(data, name, given)
        data = _undo(name, data, given, budget)
        if given.get("Predictor", 1) != 1 and name in _PREDICTING:
            if predicted and index == len(names) - 1:
                return Decoded(data, PREDICTOR, given)
            data = _predict(data, given)
    return Decoded(data, None, {})


def _many(reader: Reader, value: Value) -> list[Value]:
    value = reader.resolve(value)
    if isinstance(value, list):
        return [reader.resolve(item) for item in value]
    return [] if value is None else [value]


def _undo(name: str, data: bytes, parameters: Dictionary, budget: Budget) -> bytes:
    if name == "FlateDecode":
        return inflate(data, budget)
    if name == "LZWDecode":
        return lzw(data, parameters.get("EarlyChange", 1) != 0, budget)
    if name == "ASCIIHexDecode":
        return _hex(data)
    if name == "ASCII85Decode":
        return _base85(data, budget)
    if name == "RunLengthDecode":
        return run_length(data, budget)
    if name == "Crypt":
        return data  # qpdf has decrypted it
    raise Malformed(f"unknown filter {name[:40]}")


def inflate(data: bytes, budget: Budget) -> bytes:
    """As much as can be inflated: a damaged tail is cut, as viewers do. Raises LimitExceeded."""
    cap = budget.expanded_left
    try:
        out: bytes = isal_zlib.decompressobj().decompress(data, cap + 1)
    except (isal_zlib.IsalError, zlib.error):  # type: ignore[misc]
        out = _inflate_damaged(data, cap)
    if len(out) > cap:
        raise LimitExceeded("an inflated stream is past the limit of expanded bytes")
    budget.spend_bytes(len(out))
    return out


def _inflate_damaged(data: bytes, cap: int) -> bytes:
    """Small steps, so that what comes before the damage is not lost."""
    for window, start in ((15, 0), (-15, 2), (-15, 0)):
        machine = zlib.decompressobj(window)
        out = bytearray()
        try:
            for position in range(start, len(data), 256):
                out += machine.decompress(data[position : position + 256], cap + 1 - len(out))
                if len(out) > cap or machine.eof:
                    break
        except zlib.error:
            pass  # the rest is lost in every viewer
        if out:
            return bytes(out)
    return b""


def _hex(data: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", data.partition(b">")[0])
    return binascii.unhexlify(digits + b"0" * (len(digits) % 2))


def _base85(data: bytes, budget: Budget) -> bytes:
    text = re.sub(rb"[^!-uz]", b"", data.removeprefix(b"<~").partition(b"~")[0])
    if len(text) * 4 > budget.expanded_left:
        raise LimitExceeded("an ASCII85 stream is past the limit of expanded bytes")
    try:
        out = base64.a85decode(text)
    except ValueError as error:
        raise Malformed("broken ASCII85 data") from error
    budget.spend_bytes(len(out))
    return out


def run_length(data: bytes, budget: Budget) -> bytes:
    """ISO 32000-2 §7.4.5. Raises LimitExceeded."""
    out = bytearray()
    cap, position, size = budget.expanded_left, 0, len(data)
    while position < size and data[position] != 128:
        length = data[position]
        if length < 128:
            out += data[position + 1 : position + 2 + length]
            position += 2 + length
        else:
            out += data[position + 1 : position + 2] * (257 - length)
            position += 2
        if len(out) > cap:
            raise LimitExceeded("a run-length stream is past the limit of expanded bytes")
    budget.spend_bytes(len(out))
    return bytes(out)


def lzw(data: bytes, early: bool, budget: Budget) -> bytes:
    """ISO 32000-2 §7.4.4; stops at the first impossible code, as viewers do. Raises LimitExceeded."""
    out: list[bytes] = []
    table: list[bytes] = [bytes((value,)) for value in range(256)] + [b"", b""]
    cap, total, bits, held, width, previous = budget.expanded_left, 0, 0, 0, 9, b""
    for byte in data:
        held, bits = (held << 8 | byte) & 0xFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = (held >> bits) & ((1 << width) - 1)
        if code == 257:
            break
        if code == 256:
            del table[258:]
            width, previous = 9, b""
            continue
        if code < len(table):
            entry = table[code]
        elif code == len(table) and previous:
            entry = previous + previous[:1]
        else:
            break
        out.append(entry)
        total += len(entry)
        if total > cap:
            raise LimitExceeded("an LZW stream is past the limit of expanded bytes")
        if previous and len(table) < 4096:
            table.append(previous + entry[:1])
        previous = entry
        width = min(12, max(9, (len(table) + early).bit_length()))
    budget.spend_bytes(total)
    return b"".join(out)


def _predict(data: bytes, parameters: Dictionary) -> bytes:
    """Undo a predictor (ISO 32000-2 §7.4.4.4). Raises Malformed for parameters out of range."""
    colors, bits, columns = predictor_shape(parameters)
    row = (colors * bits * columns + 7) // 8
    if parameters.get("Predictor") == 2:
        return _tiff(data, row, colors, bits, columns)
    return _png(data, row, max(1, colors * bits // 8))


_PREDICTOR_KEYS: Final = (("Colors", 1), ("BitsPerComponent", 8), ("Columns", 1))


def _or_usual(value: Value, usual: int) -> int:
    return int(value) if is_integer(value) else usual


def predictor_shape(parameters: Dictionary) -> tuple[int, int, int]:
    """Colors, BitsPerComponent, Columns. Raises Malformed for what is out of range."""
    colors, bits, columns = (_or_usual(parameters.get(key), usual) for key, usual in _PREDICTOR_KEYS)
    if not (1 <= colors <= 32 and bits in (1, 2, 4, 8, 16) and 1 <= columns <= 1 << 24):
        raise Malformed("predictor parameters out of range")
    return colors, bits, columns


def _png(data: bytes, row: int, pixel: int) -> bytes:
    """PNG filters; the first byte of each row says which."""
    out = bytearray()
    above = bytearray(row)
    for start in range(0, len(data), row + 1):
        line = bytearray(data[start + 1 : start + 1 + row])
        line.extend(bytes(row - len(line)))
        _UNFILTER.get(data[start], _none)(line, above, pixel)
        out += line
        above = line
    return bytes(out)


def _none(_line: bytearray, _above: bytearray, _pixel: int) -> None:
    """Filter 0, and what viewers do with numbers that do not exist."""


def _sub(line: bytearray, _above: bytearray, pixel: int) -> None:
    for index in range(pixel, len(line)):
        line[index] = (line[index] + line[index - pixel]) & 255


def _up(line: bytearray, above: bytearray, _pixel: int) -> None:
    line[:] = bytes([(a + b) & 255 for a, b in zip(line, above, strict=True)])


def _average(line: bytearray, above: bytearray, pixel: int) -> None:
    for index in range(len(line)):
        left = line[index - pixel] if index >= pixel else 0
        line[index] = (line[index] + (left + above[index]) // 2) & 255


def _paeth(line: bytearray, above: bytearray, pixel: int) -> None:
    for index in range(len(line)):
        left, corner = (line[index - pixel], above[index - pixel]) if index >= pixel else (0, 0)
        up = above[index]
        guess = left + up - corner
        far_left, far_up, far_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
        nearest = left if far_left <= far_up and far_left <= far_corner else up if far_up <= far_corner else corner
        line[index] = (line[index] + nearest) & 255


_UNFILTER: Final = {1: _sub, 2: _up, 3: _average, 4: _paeth}


def _tiff(data: bytes, row: int, colors: int, bits: int, columns: int) -> bytes:
    if bits not in (8, 16):
        raise Malformed(f"TIFF predictor with {bits} bits a component")
    out = bytearray(data)
    step = colors * bits // 8
    for start in range(0, len(out) - row + 1, row):
        if bits == 8:
            for index in range(start + step, start + row):
                out[index] = (out[index] + out[index - step]) & 255
        else:
            for index in range(start + step, start + 2 * colors * columns - 1, 2):
                total = int.from_bytes(out[index : index + 2], "big") + int.from_bytes(out[index - step : index - step + 2], "big")
                out[index : index + 2] = (total & 0xFFFF).to_bytes(2, "big")
    return bytes(out)
