"""Image XObjects and inline images (ISO 32000-2 §8.9), decoded and encoded again; JBIG2 and JPEG 2000 always become another encoding."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import Image, ImageChops, UnidentifiedImageError

from sanitizers.formats.pdf import bilevel, filters, jpeg, syntax
from sanitizers.formats.pdf.colours import COLOUR_SPACE, component_count, is_indexed
from sanitizers.formats.pdf.copier import external
from sanitizers.formats.pdf.layers import membership
from sanitizers.formats.pdf.shapes import LEFT, OMIT, array, boolean, either, integer, name, number, numbers, shape
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value, is_integer
from sanitizers.formats.pdf.writer import deflate
from sanitizers.model import Malformed

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_SIZE_KEYS: Final = "Type Subtype Name Metadata Length Filter DecodeParms DL Width Height BitsPerComponent SMaskInData ID PTEX.FileName"
_LONG_KEYS: Final = {
    "BPC": "BitsPerComponent", "CS": "ColorSpace", "D": "Decode", "DP": "DecodeParms", "F": "Filter", "H": "Height",
    "IM": "ImageMask", "I": "Interpolate", "W": "Width", "L": "Length",
}
_MAX_SIDE: Final = 1 << 20
_PICTURE_MODES: Final = {1: ("DeviceGray", "L"), 3: ("DeviceRGB", "RGB"), 4: ("DeviceCMYK", "CMYK")}
_JPX_QUALITIES: Final = (90, 75, 60)
_MAX_INLINE: Final = 4 << 20
_BROKEN: Final = (OSError, UnidentifiedImageError, SyntaxError, ValueError, IndexError, KeyError, TypeError, EOFError)

# Pictures that this process has encoded itself, a fax with its sides: decoding them once more would only lose quality or time.
_OWN: Final[set[bytes]] = set()
_LENGTHS: Final[set[int]] = set()       # of them: what has another is not hashed in vain
_MAX_OWN: Final = 100_000


class Samples(NamedTuple):
    """An encoded picture: the keys that say how, and the bytes."""

    fields: Dictionary
    data: bytes


class _Geometry(NamedTuple):
    width: int
    height: int
    bits: int
    components: int     # 0 when the colour space comes from the data

    @property
    def length(self) -> int:
        """Bytes of all rows, unfiltered."""
        return (self.width * self.bits * self.components + 7) // 8 * self.height


def image(copier: Copier, stream: Stream, where: str) -> Value:
    """An image XObject and its masks."""
    fields = stream.fields
    if external(fields):
        copier.drop("pdf.external_stream", where)
        return LEFT
    geometry = _geometry(copier, fields)
    if geometry is None:
        copier.drop("pdf.unreadable_image", where, "size")
        return LEFT
    new = copier.fields(fields, _SHAPE, where)
    if "ColorSpace" not in new and new.get("ImageMask") is not True:
        geometry = geometry._replace(components=0)      # whatever one that was left behind would have said
    samples = _samples(copier, stream, geometry)
    if samples is None:
        copier.drop("pdf.unreadable_image", where)
        return LEFT
    alpha = samples.fields.pop("SMask", None)
    if alpha is not None and "SMask" not in new:
        new["SMask"] = alpha
    head = {"Type": Name("XObject"), "Subtype": Name("Image"), "Width": geometry.width, "Height": geometry.height}
    return copier.writer.add_stream({**head, **new, **samples.fields}, samples.data)


def _geometry(copier: Copier, fields: Dictionary) -> _Geometry | None:
    width, height, bits = (integer(copier, fields.get(key), "") for key in ("Width", "Height", "BitsPerComponent"))
    if width is OMIT or height is OMIT or not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return None
    copier.budget.check_frame(width, height)
    if copier.resolve(fields.get("ImageMask")) is True:
        return _Geometry(width, height, 1, 1)
    count = component_count(copier, fields.get("ColorSpace"), copier.around)
    return _Geometry(width, height, bits if bits in (1, 2, 4, 8, 16) else 8, count)


def _samples(copier: Copier, stream: Stream, geometry: _Geometry) -> Samples | None:
    try:
        decoded = filters.decode_raw(stream.raw(), stream.fields, copier.reader, copier.budget, predicted=True)
    except Malformed:
        return None
    if decoded.image_filter == "JPXDecode":
        return _jpx(copier, stream.fields, decoded.data, geometry)
    return _BY_FILTER[decoded.image_filter](copier, decoded, geometry)


def _raw(copier: Copier, decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    """Rows without a filter; what comes after the last row is no part of the picture. No reader draws samples of an unknown number."""
    if not geometry.components:
        return None
    packed = copier.writer.deflate(decoded.data[: geometry.length])
    return Samples({"BitsPerComponent": geometry.bits, "Filter": Name("FlateDecode")}, packed)


def _predicted(copier: Copier, decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    """Rows with a predictor keep it: undoing it would only make the file larger."""
    try:
        colors, bits, columns = filters.predictor_shape(decoded.parameters)
    except Malformed:
        return None
    predictor = decoded.parameters.get("Predictor")
    if not is_integer(predictor) or not (predictor == 2 or 10 <= predictor <= 15) or not geometry.components:
        return None
    row = (colors * bits * columns + 7) // 8
    rows = -(-geometry.length // row)
    decoded = decoded._replace(data=decoded.data[: rows * (row + (predictor != 2))])
    parameters = {"Predictor": predictor, "Colors": colors, "BitsPerComponent": bits, "Columns": columns}
    return Samples(
        {"BitsPerComponent": geometry.bits, "Filter": Name("FlateDecode"), "DecodeParms": parameters}, copier.writer.deflate(decoded.data)
    )


def _jpeg(copier: Copier, decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    fields: Dictionary = {"Filter": Name("DCTDecode"), "BitsPerComponent": 8}
    if _is_own(decoded.data):
        return Samples(fields, decoded.data)
    rebuilt = jpeg.rebuild(decoded.data, decoded.parameters.get("ColorTransform"), copier.budget)
    if rebuilt is None:
        return _through_pdfium(decoded, geometry)
    data, count = rebuilt
    remember(data)
    if not geometry.components:
        fields["ColorSpace"] = Name(_PICTURE_MODES[count][0])
    return Samples(fields, data)


def remember(data: bytes, *sides: int) -> None:
    """A picture that we encoded; a fax with width and height, which do not stand in its data."""
    if len(_OWN) < _MAX_OWN:
        _OWN.add(_digest(data, *sides))
        _LENGTHS.add(len(data))


def _is_own(data: bytes, *sides: int) -> bool:
    return len(data) in _LENGTHS and _digest(data, *sides) in _OWN


def _digest(data: bytes, *sides: int) -> bytes:
    digest = hashlib.sha256(repr(sides).encode())
    digest.update(data)
    return digest.digest()


def _through_pdfium(decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    """For the rare JPEG that only a PDF engine reads."""
    space = _PICTURE_MODES.get(geometry.components)
    if space is None:
        return None
    fields = {"Width": geometry.width, "Height": geometry.height, "BitsPerComponent": 8, "ColorSpace": Name(space[0])}
    picture = bilevel.decode({**fields, "Filter": Name("DCTDecode")}, decoded.data)
    if picture is None or picture.size != (geometry.width, geometry.height) or geometry.components == 4:
        return None
    return Samples({"BitsPerComponent": 8, "Filter": Name("FlateDecode")}, deflate(picture.convert(space[1]).tobytes()))


def _fax(_copier: Copier, decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    known: Dictionary = {}
    for key in ("K", "Columns", "Rows"):
        if is_integer(decoded.parameters.get(key)):
            known[key] = decoded.parameters[key]
    for key in ("EndOfLine", "EncodedByteAlign", "EndOfBlock", "BlackIs1"):
        if isinstance(decoded.parameters.get(key), bool):
            known[key] = decoded.parameters[key]
    if not 0 < int(known.get("Columns", 1728)) <= _MAX_SIDE or not 0 <= int(known.get("Rows", 0)) <= _MAX_SIDE:
        return None
    own = _group4(geometry)
    if known == own["DecodeParms"] and _is_own(decoded.data, geometry.width, geometry.height):
        return Samples(own, decoded.data)
    return _bilevel(geometry, {"Filter": Name("CCITTFaxDecode"), "DecodeParms": known}, decoded.data, None)


def _group4(geometry: _Geometry) -> Dictionary:
    """How a fax is encoded by us."""
    parameters = {"K": -1, "Columns": geometry.width, "Rows": geometry.height}
    return {"BitsPerComponent": 1, "Filter": Name("CCITTFaxDecode"), "DecodeParms": parameters}


def _jbig2(copier: Copier, decoded: filters.Decoded, geometry: _Geometry) -> Samples | None:
    shared = decoded.parameters.get("JBIG2Globals")
    extra = copier.content_of(shared, "JBIG2Globals") if isinstance(shared, Stream) else None
    return _bilevel(geometry, {"Filter": Name("JBIG2Decode")}, decoded.data, extra)


_BY_FILTER: Final = {
    None: _raw, filters.PREDICTOR: _predicted, "DCTDecode": _jpeg, "JBIG2Decode": _jbig2, "CCITTFaxDecode": _fax,
}


def _bilevel(geometry: _Geometry, how: Dictionary, data: bytes, extra: bytes | None) -> Samples | None:
    if geometry.bits != 1 or geometry.components > 1:
        geometry = geometry._replace(bits=1, components=1)
    fields = {
        "Width": geometry.width, "Height": geometry.height, "BitsPerComponent": 1, "ColorSpace": Name("DeviceGray"), **how,
    }
    picture = bilevel.decode(fields, data, extra)
    if picture is None or picture.size != (geometry.width, geometry.height):
        return None
    bits = picture.convert("1", dither=Image.Dither.NONE)
    fax = bilevel.fax(bits)
    if len(fax) > len(data) * 21 // 20 and len(packed := deflate(bits.tobytes())) <= len(fax):
        return Samples({"BitsPerComponent": 1, "Filter": Name("FlateDecode")}, packed)
    remember(fax, geometry.width, geometry.height)
    return Samples(_group4(geometry), fax)


def _jpx(copier: Copier, fields: Dictionary, data: bytes, geometry: _Geometry) -> Samples | None:
    """JPEG 2000: samples for an indexed space and small pictures without loss, others as a JPEG of about the same size."""
    indexed = is_indexed(copier, fields.get("ColorSpace"))
    opened = _open_jpx(copier, data)
    if opened is None:
        return None
    alpha = opened.getchannel("A") if opened.mode in ("LA", "RGBA") else None
    picture = _draw_jpx(opened, data, geometry.components)
    count = len(picture.getbands())
    if geometry.components not in (0, count):
        return None
    new: Dictionary = {"Width": picture.width, "Height": picture.height, "BitsPerComponent": 8}
    if alpha is not None and copier.resolve(fields.get("SMaskInData")) in (1, 2):
        new["SMask"] = _alpha_mask(copier, alpha)
    if not geometry.components:
        new["ColorSpace"] = Name(_PICTURE_MODES[count][0])
    packed = deflate(picture.tobytes())
    if indexed or "Mask" in fields or len(packed) <= len(data) * 6 // 5:
        return Samples({**new, "Filter": Name("FlateDecode")}, packed)
    encoded = _photograph(picture, len(data))
    remember(encoded)
    return Samples({**new, "Filter": Name("DCTDecode")}, encoded)


def _open_jpx(copier: Copier, data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as opened:
            copier.budget.check_frame(*opened.size)
            opened.load()
            return opened.copy()
    except _BROKEN:
        return None


def _draw_jpx(opened: Image.Image, data: bytes, count: int) -> Image.Image:
    """8-bit grey or RGB from PDFium, which clips samples that overshoot; CMYK and what PDFium will not take from Pillow."""
    count = count or {"L": 1, "LA": 1, "I;16": 1, "CMYK": 4}.get(opened.mode, 3)
    if count in (1, 3):
        fields = {"Width": opened.width, "Height": opened.height, "BitsPerComponent": 8, "ColorSpace": Name(_PICTURE_MODES[count][0])}
        picture = bilevel.decode({**fields, "Filter": Name("JPXDecode")}, data)
        if picture is not None and picture.size == opened.size:
            return picture.convert(_PICTURE_MODES[count][1])
    return _plain_mode(opened)


def _photograph(picture: Image.Image, size: int) -> bytes:
    """A JPEG of about the size that it had, but of no less than fair quality."""
    encoded = b""
    picture = ImageChops.invert(picture) if picture.mode == "CMYK" else picture     # Pillow inverts inks, and readers of PDF do not
    for quality in _JPX_QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        encoded = out.getvalue()
        if len(encoded) <= size * 6 // 5:
            break
    return encoded


def _plain_mode(picture: Image.Image) -> Image.Image:
    """L, RGB or CMYK with 8 bits."""
    if picture.mode == "I;16":
        return picture.point(lambda sample: sample / 256).convert("L")
    if picture.mode == "LA":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _alpha_mask(copier: Copier, alpha: Image.Image) -> Ref:
    fields = {
        "Type": Name("XObject"), "Subtype": Name("Image"), "Width": alpha.width, "Height": alpha.height,
        "ColorSpace": Name("DeviceGray"), "BitsPerComponent": 8,
    }
    return copier.writer.add_deflated(fields, alpha.tobytes())


def _mask(copier: Copier, value: Value, where: str) -> Value:
    """A soft or stencil mask: an image that has no mask of its own."""
    stream = copier.resolve(value)
    if not isinstance(stream, Stream) or not isinstance(value, Ref):
        return OMIT
    return copier.once(value, image, lambda: image(copier, stream, where), where)


_SHAPE: Final = shape(
    {
        "ColorSpace": COLOUR_SPACE, "ImageMask": boolean, "Decode": numbers(2, 64), "Interpolate": boolean, "Intent": name,
        "SMask": _mask, "Mask": either(_mask, array(integer, 2, 64)), "Matte": array(number, 1, 32), "StructParent": integer,
        "OC": membership,
    },
    _SIZE_KEYS,
)


def inline_image(copier: Copier, fields: Dictionary, data: bytes) -> bytes | None:
    """A whole inline image anew (§8.9.7), its data in ASCII so that every reader finds the same end."""
    fields = {_LONG_KEYS.get(key, key): value for key, value in fields.items()}
    geometry = _geometry(copier, fields)
    if geometry is None or not geometry.components:
        return None
    samples = _samples(copier, Stream(fields, Ref(0), lambda: data), geometry)
    if samples is None or (len(samples.data) > _MAX_INLINE and not copier.context.second_pass):  # which compresses nothing
        return None
    new: Dictionary = {"Width": geometry.width, "Height": geometry.height}
    for key in ("ImageMask", "Interpolate", "Decode"):
        if key in fields and (value := _SHAPE.rules[key](copier, fields[key], "")) is not OMIT:
            new[key] = value
    if "ColorSpace" in fields and "ImageMask" not in new:
        space = _inline_space(copier, fields["ColorSpace"])
        if space is OMIT:
            return None
        new["ColorSpace"] = space
    for key in ("BitsPerComponent", "DecodeParms", "Filter"):
        if key in samples.fields:
            new[key] = samples.fields[key]
    new["Filter"] = [Name("ASCII85Decode"), new["Filter"]]
    if "DecodeParms" in new:
        new["DecodeParms"] = [None, new["DecodeParms"]]
    head = b" ".join(syntax.encode_name(key) + b" " + syntax.serialize(value) for key, value in new.items())
    return b"BI " + head + b" ID " + base64.a85encode(samples.data, wrapcol=200) + b"~>\nEI"


def _inline_space(copier: Copier, value: Value) -> Value:
    """A device space, a name of the resources, or an indexed device space with its table."""
    if isinstance(value, Name) and value not in ("G", "RGB", "CMYK", "DeviceGray", "DeviceRGB", "DeviceCMYK"):
        return value
    space = COLOUR_SPACE(copier, value, "")
    if isinstance(space, list) and isinstance(space[-1], Ref):  # a table that elsewhere becomes a stream
        table = copier.resolve(value[3])
        return [*space[:3], table] if isinstance(table, bytes) else OMIT
    return space
