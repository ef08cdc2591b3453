"""Filters of PDF streams: the same bytes as qpdf reads, and an end for whatever is broken or a bomb."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pikepdf
import pytest

from sanitizers.budget import Budget
from sanitizers.formats.pdf import filters
from sanitizers.formats.pdf.reader import Reader
from sanitizers.formats.pdf.values import Dictionary, Name
from sanitizers.model import LimitExceeded, Limits, Malformed
from sanitizers.source import Source
from tests.build import pdf as build

NOISE = b"".join(hashlib.sha256(bytes((number,))).digest() for number in range(64))
TEXT = b"the quick brown fox " * 300 + bytes(range(256)) * 4


@pytest.fixture(scope="module")
def reader() -> Reader:
    document = build.clean()
    return Reader(document, None, Source(build.saved(document)))


def _budget(most: int = 1 << 24) -> Budget:
    return Budget(Limits(expanded_bytes=most), 1 << 20)


def _by_qpdf(data: bytes, filters_: object, parameters: object = None) -> bytes:
    document = pikepdf.new()
    stream = document.make_stream(b"")
    stream.write(data, filter=filters_, decode_parms=parameters)
    return bytes(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))


def _lzw(data: bytes, *, early: int = 1) -> bytes:
    """As TIFF and PDF write it: codes of 9 to 12 bits, the highest bit first."""
    table = {bytes((value,)): value for value in range(256)}
    codes = [(256, 9)]
    following, width, held = 258, 9, b""
    for value in data:
        byte = bytes((value,))
        if held + byte in table:
            held += byte
            continue
        codes.append((table[held], width))
        table[held + byte] = following
        following += 1
        if following + early > 1 << width:
            width += 1
        if following >= 4094:
            codes.append((256, min(width, 12)))
            table = {bytes((one,)): one for one in range(256)}
            following, width = 258, 9
        held = byte
    codes += [(table[held], width), (257, width)]
    bits = "".join(f"{code:0{size}b}" for code, size in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _decoded(reader: Reader, data: bytes, fields: Dictionary, **options: bool) -> filters.Decoded:
    return filters.decode_raw(data, fields, reader, _budget(), **options)


# ------------------------------------------------------------------------------------------------------------ one filter each


@pytest.mark.parametrize("text", [b"a", TEXT, NOISE * 4, b"aaaaaaaaaaaaaaaaaaaaaaaaaa"], ids=["letter", "text", "noise", "runs"])
def test_lzw_is_read_as_qpdf_reads_it(text: bytes) -> None:
    packed = _lzw(text)
    assert _by_qpdf(packed, pikepdf.Name.LZWDecode) == text
    assert filters.lzw(packed, True, _budget()) == text


def test_lzw_with_a_late_change_of_width(reader: Reader) -> None:
    packed = _lzw(TEXT, early=0)
    assert filters.lzw(packed, False, _budget()) == TEXT
    fields: Dictionary = {"Filter": Name("LZWDecode"), "DecodeParms": {"EarlyChange": 0}}
    assert _decoded(reader, packed, fields).data == TEXT


def test_lzw_ends_at_the_first_impossible_code_and_at_its_bound() -> None:
    assert filters.lzw(b"\x80\x7f\xc0\x00", True, _budget()) == b""
    assert filters.lzw(b"", True, _budget()) == b""
    with pytest.raises(LimitExceeded):
        filters.lzw(_lzw(TEXT), True, _budget(1000))


def test_run_lengths_are_read_as_qpdf_reads_them() -> None:
    packed = bytes((4,)) + b"abcde" + bytes((254,)) + b"x" + bytes((129,)) + b"y" + bytes((0,)) + b"z" + bytes((128,)) + b"behind the end"
    before = packed.partition(b"behind")[0]
    assert filters.run_length(packed, _budget()) == b"abcde" + b"xxx" + b"y" * 128 + b"z" == _by_qpdf(before, pikepdf.Name.RunLengthDecode)
    with pytest.raises(LimitExceeded):
        filters.run_length(b"\x81a" * 100, _budget(1000))


@pytest.mark.parametrize(("text", "data"), [(b"48 65 6C 6c 6F>more", b"Hello"), (b"7>", b"p"), (b"", b""), (b"4x8", b"H")])
def test_hexadecimal_digits(reader: Reader, text: bytes, data: bytes) -> None:
    assert _decoded(reader, text, {"Filter": Name("ASCIIHexDecode")}).data == data


def test_base_85(reader: Reader) -> None:
    fields: Dictionary = {"Filter": Name("A85")}
    for text in (NOISE[:101], bytes(8), b""):
        assert _decoded(reader, base64.a85encode(text, wrapcol=60) + b"~>more", fields).data == text
        assert _decoded(reader, base64.a85encode(text, adobe=True), fields).data == text
    with pytest.raises(Malformed, match="ASCII85"):
        _decoded(reader, b"uuuuu~>", fields)
    with pytest.raises(LimitExceeded):
        filters.decode_raw(b"z" * 1000, fields, reader, _budget(1000))


def test_what_was_inflated_before_the_damage_stays() -> None:
    whole = zlib.compress(NOISE, 9)
    assert filters.inflate(whole, _budget()) == NOISE
    assert filters.inflate(whole[:-4], _budget()) == NOISE, "without its sum"
    assert filters.inflate(whole[2:], _budget()) == NOISE, "without its head"
    damaged = filters.inflate(whole[:1000] + b"\xff" * 40 + whole[1040:], _budget())
    assert NOISE.startswith(damaged[:700])
    assert filters.inflate(b"no zlib stream at all", _budget()) == b""
    with pytest.raises(LimitExceeded):
        filters.inflate(zlib.compress(bytes(5000)), _budget(1000))
    with pytest.raises(LimitExceeded):
        filters.inflate(b"\x78\x9d" + zlib.compress(bytes(50_000))[2:], _budget(1000))


# --------------------------------------------------------------------------------------------------------------- predictors

SHAPES = [(1, 8, 16), (3, 8, 10), (4, 8, 7), (1, 1, 37), (3, 16, 5), (1, 4, 9), (2, 2, 11)]


@pytest.mark.parametrize(("colors", "bits", "columns"), SHAPES)
@pytest.mark.parametrize("predictor", [10, 12, 15])
def test_rows_of_png_are_unfiltered_as_qpdf_does(reader: Reader, colors: int, bits: int, columns: int, predictor: int) -> None:
    row = (colors * bits * columns + 7) // 8
    rows = b"".join(bytes((number % 5,)) + NOISE[number * row : (number + 1) * row] for number in range(20))
    parameters = {"Predictor": predictor, "Colors": colors, "BitsPerComponent": bits, "Columns": columns}
    found = _decoded(reader, zlib.compress(rows), {"Filter": Name("FlateDecode"), "DecodeParms": dict(parameters)}).data
    expected = _by_qpdf(zlib.compress(rows), pikepdf.Name.FlateDecode, pikepdf.Dictionary({f"/{key}": value for key, value in parameters.items()}))
    assert found == expected


@pytest.mark.parametrize(("colors", "columns"), [(1, 16), (3, 10), (4, 7)])
def test_rows_of_tiff_are_undone_as_qpdf_does(reader: Reader, colors: int, columns: int) -> None:
    data = NOISE[: colors * columns * 12]
    parameters = {"Predictor": 2, "Colors": colors, "BitsPerComponent": 8, "Columns": columns}
    found = _decoded(reader, zlib.compress(data), {"Filter": Name("Fl"), "DP": dict(parameters)}).data
    assert found == _by_qpdf(zlib.compress(data), pikepdf.Name.FlateDecode, pikepdf.Dictionary({f"/{key}": value for key, value in parameters.items()}))


def test_rows_of_tiff_with_sixteen_bits_add_up() -> None:
    rows = bytes.fromhex("00ff 0001 0100  ffff 0001 0002".replace(" ", ""))
    assert filters._predict(rows, {"Predictor": 2, "Colors": 1, "BitsPerComponent": 16, "Columns": 3}).hex() == "00ff01000200ffff00000002"
    with pytest.raises(Malformed, match="TIFF predictor"):
        filters._predict(rows, {"Predictor": 2, "BitsPerComponent": 4, "Columns": 3})


def test_a_row_that_is_cut_off_is_filled_and_an_unknown_filter_does_nothing() -> None:
    assert filters._predict(b"\x01\x01\x01", {"Predictor": 12, "Columns": 4}) == b"\1\2\2\2"
    assert filters._predict(b"\x09abcd", {"Predictor": 12, "Columns": 4}) == b"abcd"


@pytest.mark.parametrize("parameters", [{"Colors": 0}, {"Colors": 33}, {"BitsPerComponent": 3}, {"Columns": 0}, {"Columns": 1 << 25}])
def test_a_predictor_out_of_range_is_malformed(parameters: Dictionary) -> None:
    with pytest.raises(Malformed, match="out of range"):
        filters.predictor_shape(parameters)
    assert filters.predictor_shape({}) == (1, 8, 1)
    assert filters.predictor_shape({"Colors": Name("x"), "Columns": 5}) == (1, 8, 5)


# -------------------------------------------------------------------------------------------------------------------- chains


def test_filters_are_undone_in_their_order(reader: Reader) -> None:
    data = base64.a85encode(zlib.compress(_lzw(TEXT))) + b"~>"
    fields: Dictionary = {"Filter": [Name("ASCII85Decode"), Name("FlateDecode"), Name("LZW")], "DecodeParms": [None, None, {"EarlyChange": 1}]}
    assert _decoded(reader, data, fields) == filters.Decoded(TEXT, None, {})
    assert _decoded(reader, b"as it is", {"Filter": Name("Crypt")}).data == b"as it is"
    assert _decoded(reader, b"as it is", {}).data == b"as it is"
    with pytest.raises(Malformed, match="unknown filter"):
        _decoded(reader, b"", {"Filter": Name("Other")})
    with pytest.raises(Malformed, match="unknown filter"):
        _decoded(reader, b"", {"Filter": 5})
    with pytest.raises(Malformed, match="9 filters"):
        _decoded(reader, b"", {"Filter": [Name("AHx")] * 9})


def test_a_filter_of_pictures_is_the_last(reader: Reader) -> None:
    fields: Dictionary = {"Filter": [Name("AHx"), Name("DCT")], "DecodeParms": [None, {"ColorTransform": 0}]}
    assert _decoded(reader, b"ffd8>", fields) == filters.Decoded(b"\xff\xd8", "DCTDecode", {"ColorTransform": 0})
    with pytest.raises(Malformed, match="not the last"):
        _decoded(reader, b"", {"Filter": [Name("CCF"), Name("AHx")]})


def test_a_predictor_may_be_left_to_the_picture(reader: Reader) -> None:
    rows, parameters = b"\x02abc" * 3, {"Predictor": 15, "Columns": 3}
    fields: Dictionary = {"Filter": Name("FlateDecode"), "DecodeParms": dict(parameters)}
    assert _decoded(reader, zlib.compress(rows), fields, predicted=True) == filters.Decoded(rows, filters.PREDICTOR, parameters)
    assert _decoded(reader, zlib.compress(rows), fields).image_filter is None
