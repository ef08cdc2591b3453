"""Pictures for tests: clean ones by Pillow, dangerous ones by writing the containers by hand."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image, ImageCms, ImageFilter

CANARY = b"SEKISHO-CANARY-2026"
TAKEN = b"2026:04:01 09:30:00"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def scene(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Something with slopes and edges, the same every time, of any mode."""
    width, height = size
    picture = Image.new("RGB", size)
    places = [(x, y) for y in range(height) for x in range(width)]
    picture.putdata([(x * 255 // width, y * 255 // height, (x * y) % 256 if x > width // 2 else 40) for x, y in places])
    picture.paste((250, 10, 10), (4, 4, 20, 12))
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(size))
        return picture
    if mode == "P":
        return picture.quantize(48)
    if mode == "I;16":
        return Image.frombytes("I;16", size, b"".join(struct.pack("<H", (x * 601 + y * 77) % 65_536) for x, y in places))
    return picture.convert(mode)


def soft(mode: str = "RGB") -> Image.Image:
    """A scene without edges, for coders that halve the resolution of colours."""
    picture = scene().filter(ImageFilter.GaussianBlur(5))
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def noise(size: tuple[int, int], seed: int = 1) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))


def saved(picture: Image.Image, plugin: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, plugin, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


# ------------------------------------------------------------------------------------------------------------------------ Exif


def exif(orientation: int = 1, *, taken: bytes | None = TAKEN, gps: bool = False, maker: bytes = b"", next_ifd: int = 0) -> bytes:
    """A TIFF block, little-endian: orientation, and the date, a GPS directory, a maker's text where asked for."""
    entries = [(0x0112, 3, 1, struct.pack("<HH", orientation, 0))]
    tail = b""
    base = 8 + 2 + 12 * (1 + bool(maker) + (taken is not None) + gps) + 4
    if maker:
        text = maker + b"\0" * (8 - len(maker) if len(maker) < 8 else 1)
        entries.append((0x010F, 2, len(text), struct.pack("<I", base + len(tail))))
        tail += text
    if taken is not None:
        at = base + len(tail)
        entries.append((0x8769, 4, 1, struct.pack("<I", at)))
        tail += struct.pack("<HHHIII", 1, 0x9003, 2, 20, at + 18, 0) + taken + b"\0"
    if gps:
        entries.append((0x8825, 4, 1, struct.pack("<I", base + len(tail))))
        tail += struct.pack("<HHHI4sI", 1, 1, 2, 2, b"N\0\0\0", 0)
    body = struct.pack("<H", len(entries))
    for tag, kind, count, value in sorted(entries):
        body += struct.pack("<HHI", tag, kind, count) + value
    return b"II*\0\x08\0\0\0" + body + struct.pack("<I", next_ifd) + tail


def display_profile() -> bytes:
    """An RGB profile whose red and green primaries are exchanged: impossible to miss when it is applied."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for index in range(struct.unpack_from(">I", data, 128)[0]):
        name, at, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        places[name] = at, size
    (red, size), (green, _) = places[b"rXYZ"], places[b"gXYZ"]
    data[red : red + size], data[green : green + size] = data[green : green + size], data[red : red + size]
    return bytes(data)


def profile(space: bytes, pcs: bytes, device: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04): header, tag table, tags."""
    white = b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    table, body = b"", b""
    start = 132 + 12 * (len(tags) + 1)
    for name, value in {b"wtpt": white, **tags}.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"none", 0x0210_0000, device, space, pcs, bytes(12), b"acsp").ljust(68, b"\0")
    return (head + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)).ljust(128, b"\0") + struct.pack(">I", len(tags) + 1) + table + body


def grey_profile(gamma: float) -> bytes:
    return profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + b"\0\0"})


def press_profile() -> bytes:
    """CMYK in which every ink makes paper darker and nothing else."""
    ramp = bytes(range(256))
    lightness = bytes(value for inks in range(16) for value in (255 - 60 * inks.bit_count(), 128, 128))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    return profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": b"mft1\0\0\0\0\4\3\2\0" + matrix + ramp * 4 + lightness + ramp * 3})


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# ------------------------------------------------------------------------------------------------------------------------ JPEG


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_with(*segments: bytes, picture: Image.Image | None = None, tail: bytes = b"", **options: object) -> bytes:
    """A JPEG with more segments after SOI and more bytes after EOI."""
    data = saved(picture or scene(), "JPEG", **{"quality": 90, **options})
    return data[:2] + b"".join(segments) + data[2:] + tail


def jpeg_segments(data: bytes) -> list[tuple[int, bytes]]:
    """(marker, body) up to the first scan, then the bytes from EOI on as marker 0xD9: a walk of the tests' own."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack_from(">H", data, at + 2)[0]
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return [*found, (0xD9, data[data.index(b"\xff\xd9", at) + 2 :])]


# ------------------------------------------------------------------------------------------------------------------------ PNG


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(name, body) of every chunk, whatever follows IEND as a chunk without a name."""
    found, at = [], 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
        if name == b"IEND":
            break
    return found + ([(b"", data[at:])] if at < len(data) else [])


def png_with(*chunks: bytes, picture: Image.Image | None = None, tail: bytes = b"") -> bytes:
    """A PNG with more chunks after IHDR and more bytes after IEND."""
    data = saved(picture or scene(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:] + tail


def png_of(width: int, height: int, depth: int, colour_type: int, raw: bytes, *before: bytes, level: int = 9) -> bytes:
    """A PNG of rows that are filtered already."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    return PNG_SIGNATURE + header + b"".join(before) + png_chunk(b"IDAT", zlib.compress(raw, level)) + png_chunk(b"IEND", b"")


def png_spelling_palette(text: bytes) -> bytes:
    """A palette picture whose palette is a text, every colour in use."""
    colours = len(text) // 3
    rows = b"".join(b"\0" + bytes((x + y) % colours for x in range(32)) for y in range(32))
    return png_of(32, 32, 8, 3, rows, png_chunk(b"PLTE", text[: 3 * colours]))


# ------------------------------------------------------------------------------------------------------------------------ GIF


def gif(frames: int = 1, *extensions: bytes, size: tuple[int, int] = (8, 8), tail: bytes = b"") -> bytes:
    """Tiny frames, each of one colour, written block by block."""
    width, height = size
    palette = bytes((0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255))
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x91, 0, 0) + palette
    picture = Image.new("P", size)
    parts = [head, *extensions]
    for index in range(frames):
        if index < 4:
            picture.paste(index, (0, 0, *size))
            data = picture.tobytes("gif", "P", 2, 0)
            frame = b"\x21\xf9\x04\x04\x0a\0\0\0" + struct.pack("<B4HB", 0x2C, 0, 0, width, height, 0) + b"\x02" + data + b"\0"
        parts.append(frame)
    return b"".join([*parts, b"\x3b", tail])


def gif_comment(text: bytes) -> bytes:
    return b"\x21\xfe" + bytes([len(text)]) + text + b"\0"


# ------------------------------------------------------------------------------------------------------------------------ TIFF


def tiff(pages: list[Image.Image], **options: object) -> bytes:
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], **options)


def tiff_loop() -> bytes:
    """One directory that names itself as the next."""
    ones = [(tag, 3, 1, 1) for tag in (256, 257, 259, 262, 278)]
    entries = sorted([*ones, (258, 3, 1, 8), (273, 4, 1, 8), (279, 4, 1, 1)])
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 16) + b"\x80" * 8 + struct.pack("<H", len(entries)) + body + struct.pack("<I", 16)


# ------------------------------------------------------------------------------------------------------------------------ WebP, BMP


def webp_with(picture: Image.Image, *chunks: tuple[bytes, bytes], tail: bytes = b"", **options: object) -> bytes:
    """A WebP with more chunks at its end, under an extended header."""
    inner = saved(picture, "WEBP", **options)[12:]
    flags = 0x08 | 0x10 * (picture.mode == "RGBA")
    if inner[:4] != b"VP8X":
        width, height = (side - 1 for side in picture.size)
        inner = b"VP8X" + struct.pack("<IB3x", 10, flags) + width.to_bytes(3, "little") + height.to_bytes(3, "little") + inner
    for name, body in chunks:
        inner += name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(inner)) + b"WEBP" + inner + tail


def bmp_speaking(text: bytes) -> bytes:
    """A BMP whose pixel rows begin with a text."""
    picture = Image.new("RGB", (64, 4), (9, 9, 9))
    data = bytearray(saved(picture, "BMP"))
    data[54 : 54 + len(text)] = text
    return bytes(data)


def bmp(size: tuple[int, int], bits: int, rows: bytes, *, compression: int = 0, header: int = 40, masks: bytes = b"", palette: bytes = b"") -> bytes:
    """A BMP of any header: 12 (OS/2), 40, or a longer one whose further fields are `masks` and zeros. `palette`: as it is stored."""
    if header == 12:
        head = struct.pack("<IHHHH", 12, *size, 1, bits)
    else:
        colours = len(palette) // 4
        head = struct.pack("<IiiHHIIiiII", header, *size, 1, bits, compression, len(rows), 2835, 2835, colours, 0)
        head = (head + masks).ljust(14 + header - 14, b"\0")
    at = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + head + palette + rows


def bmp_palette(colours: int, entry: int = 4) -> bytes:
    return b"".join(bytes((index * 5 % 256, 255 - index, index, 0))[:entry] for index in range(colours))


def tiled_tiff(picture: Image.Image, side: int = 32) -> bytes:
    """An uncompressed RGB TIFF of square tiles, which Pillow cannot write."""
    across, down = -(-picture.width // side), -(-picture.height // side)
    places = [(column * side, row * side) for row in range(down) for column in range(across)]
    tiles = [picture.crop((x, y, x + side, y + side)).tobytes() for x, y in places]
    size, count = 3 * side * side, len(tiles)
    start = 8 + size * count
    bits, offsets, sizes = start, start + 6, start + 6 + 4 * count
    values = struct.pack(f"<3H{2 * count}I", 8, 8, 8, *(8 + size * index for index in range(count)), *[size] * count)
    entries = [
        (256, 3, 1, picture.width), (257, 3, 1, picture.height), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3),
        (322, 3, 1, side), (323, 3, 1, side), (324, 4, count, offsets), (325, 4, count, sizes),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", start + len(values)) + b"".join(tiles) + values + directory
