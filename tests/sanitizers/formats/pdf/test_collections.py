"""Font collections, file names and faxes in PDF: read as far as readers read them, refused where they are broken."""

from __future__ import annotations

import io
import struct

import pypdfium2
import pytest
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image

from sanitizers.budget import Budget
from sanitizers.formats.pdf import bilevel, files, jpeg, sfnt
from sanitizers.formats.pdf.values import Dictionary, Name
from sanitizers.model import Limits, Malformed
from tests.build import pdf_fonts


def _collection(*fonts: bytes) -> bytes:
    made = TTCollection()
    made.fonts = [TTFont(io.BytesIO(font)) for font in fonts]
    out = io.BytesIO()
    made.save(out, shareTables=False)
    return out.getvalue()


def test_of_a_collection_the_first_font_stays() -> None:
    plain = pdf_fonts.truetype()
    data, emptied = sfnt.rebuild(_collection(plain, pdf_fonts.opentype()))
    assert emptied == 0
    made, before = TTFont(io.BytesIO(data)), TTFont(io.BytesIO(plain))
    assert data[:4] == b"\0\1\0\0"
    assert made.getGlyphOrder() == before.getGlyphOrder()
    assert made["glyf"].compile(made) == before["glyf"].compile(before)


@pytest.mark.parametrize(
    "data",
    [
        b"ttcf", b"ttcf" + bytes(8) + struct.pack(">I", 9999), b"ttcf\0\1\0\0\0\0\0\1" + struct.pack(">I", 16) + b"\0\1\0\0\0\x05" + bytes(20), b"\0\1\0\0",
        b"\0\1\0\0" + bytes(8), b"\0\1\0\0\0\x02" + bytes(30), b"\0\1\0\0" + struct.pack(">H", 300) + bytes(6000), b"ttcf\0\1\0\0\0\0\0\1" + struct.pack(">I", 16) + b"\0\1",
    ],
)  # fmt: skip
def test_a_directory_that_is_cut_off_or_too_long_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        sfnt.rebuild(data)


@pytest.mark.parametrize("font", [pdf_fonts.truetype, pdf_fonts.opentype])
def test_the_sum_over_a_font_is_right(font: object) -> None:
    """OpenType 1.9.1, `head`: the sum over the whole file is a constant."""
    data, _ = sfnt.rebuild(font())  # type: ignore[operator]
    padded = data + bytes(-len(data) % 4)
    assert sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF == 0xB1B0AFBA
    tags = [data[12 + 16 * index : 16 + 16 * index] for index in range(struct.unpack_from(">H", data, 4)[0])]
    assert tags == sorted(tags)


class _Copier:
    """Resolves nothing: every value stands there."""

    @staticmethod
    def resolve(value: object) -> object:
        return value


@pytest.mark.parametrize(
    ("specification", "name"),
    [
        ({"F": b"a.txt"}, "a.txt"), ({"F": b"a.txt", "UF": "表.xlsx".encode("utf-16")}, "表.xlsx"), ({"UF": b"\xef\xbb\xbf" + "表".encode()}, "表"),
        ({"UF": 5, "F": b"\xfe\xff" + "表".encode("utf-16-be")}, "表"), ({}, ""), ({"F": {"F": b"x"}}, ""), ({"UF": b"caf\xe9"}, "café"),
    ],
)  # fmt: skip
def test_the_name_of_a_file_is_read_for_people(specification: Dictionary, name: str) -> None:
    assert files.file_name(_Copier(), specification) == name  # type: ignore[arg-type]


def test_text_strings_are_read_as_they_were_written() -> None:
    for text in ("", "abc", "表", "café", "\U00020b9f"):
        assert files.text(files.text_string(text)) == text
    assert files.text(5) == ""


def _fax(rows: list[str]) -> Image.Image:
    image = Image.new("1", (len(rows[0]), len(rows)))
    image.putdata([255 if one == "." else 0 for row in rows for one in row])
    return image


def test_a_fax_is_read_as_it_was_written() -> None:
    image = _fax(["................", "..XXXX....XX....", "..XXXX....XX....", "XXXXXXXXXXXXXXXX"] * 100)
    fields = {
        "Width": 16, "Height": 400, "BitsPerComponent": 1, "ColorSpace": Name("DeviceGray"), "Filter": Name("CCITTFaxDecode"),
        "DecodeParms": {"K": -1, "Columns": 16, "Rows": 400},
    }  # fmt: skip
    read = bilevel.decode(fields, bilevel.fax(image))
    assert read is not None
    assert read.convert("L").tobytes() == image.convert("L").tobytes()


def test_what_is_no_picture_to_the_engine_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    fields: Dictionary = {"Width": 9, "Height": 9, "BitsPerComponent": 8, "ColorSpace": Name("DeviceGray"), "Filter": Name("JPXDecode")}
    assert bilevel.decode(fields, b"no picture") is None
    assert bilevel.decode({**fields, "Subtype": Name("Other")}, b"no picture") is None, "nothing is drawn at all"

    def unopened(_data: bytes) -> None:
        raise pypdfium2.PdfiumError("no")

    monkeypatch.setattr(bilevel.pypdfium2, "PdfDocument", unopened)
    assert bilevel.decode(fields, b"") is None


def _jpeg(mode: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((32, 32)).convert(mode).save(out, "JPEG", quality=95, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(("mode", "components"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_a_jpeg_keeps_its_components_and_loses_what_is_beside(mode: str, components: int) -> None:
    data = _jpeg(mode, comment=b"CANARY")
    budget = Budget(Limits(), len(data))
    made = jpeg.rebuild(b"junk" + data + b"CANARY", None, budget)
    assert made is not None
    assert made[1] == components
    assert b"CANARY" not in made[0]
    with Image.open(io.BytesIO(made[0])) as after, Image.open(io.BytesIO(data)) as before:
        assert after.mode == before.mode == mode
        assert after.tobytes() == before.tobytes(), "its own tables again"


def test_a_jpeg_whose_colours_are_not_transformed_says_so_itself() -> None:
    data = _jpeg("RGB", keep_rgb=True)
    made = jpeg.rebuild(data, 0, Budget(Limits(), len(data)))
    assert made is not None
    with Image.open(io.BytesIO(made[0])) as after:
        assert after.info.get("adobe_transform") == 0


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8", b"\xff\xd8\xff\xe0", _jpeg("L")[:40]])
def test_what_is_no_jpeg_is_none(data: bytes) -> None:
    assert jpeg.rebuild(data, None, Budget(Limits(), 100)) is None
