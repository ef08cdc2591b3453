"""Documents of Word 97 structure by structure, so that anything can be put anywhere in them. [MS-DOC]."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from sanitizers.formats.doc.fib import Part
from tests.build import cfb, xls

CANARY = "CANARY-71e4"
SPECIAL = struct.pack("<HB", 0x0855, 1)
_TEXT, _PAGE = 1024, 512
_HEAD_OF_TABLE = 512     # bytes before the first part, room for what an encryption says
_STORIES = ("main", "footnotes", "headers", "macros", "comments", "endnotes", "text_boxes", "header_text_boxes")
_PAIRS = 93
_Placed = tuple[int, int, bytes]     # from, to, look


class Run(NamedTuple):
    text: str
    grpprl: bytes = b""


class Para(NamedTuple):
    """`mark`: the character that ends it."""

    runs: tuple[Run, ...]
    grpprl: bytes = b""
    style: int = 0
    mark: str = "\r"
    mark_grpprl: bytes = b""


def sprm(number: int, operand: bytes | int) -> bytes:
    """A change of a property: numbers get the size that the property has, bytes of variable size their length."""
    kind = number >> 13
    if isinstance(operand, int):
        size = (1, 1, 2, 4, 2, 2, 0, 3)[kind]
        operand = (operand & (1 << 8 * size) - 1).to_bytes(size, "little")
    if kind != 6:
        return struct.pack("<H", number) + operand
    head = struct.pack("<H", len(operand) + 1) if number == 0xD608 else bytes((len(operand),))
    return struct.pack("<H", number) + head + operand


def para(*runs: Run | str, grpprl: bytes = b"", style: int = 0, mark: str = "\r", mark_grpprl: bytes = b"") -> Para:
    given = (Run(one) if isinstance(one, str) else one for one in runs)
    return Para(tuple(Run(_units(one.text), one.grpprl) for one in given), grpprl, style, mark, mark_grpprl)


def _units(text: str) -> str:
    """One character for each UTF-16 unit, as places count."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(encoded) // 2}H", encoded)))


def field(instruction: str, result: str = "", grpprl: bytes = b"") -> tuple[Run, ...]:
    """Begin, instruction, separator, result, end."""
    shown = (Run("\x14", SPECIAL), Run(result, grpprl)) if result else ()
    return (Run("\x13", SPECIAL), Run(instruction, grpprl), *shown, Run("\x15", SPECIAL))


def style(name: str, number: int = 0x0FFE, *, kind: int = 1, based: int = 0x0FFF, paragraph: bytes = b"", characters: bytes = b"") -> bytes:
    """An STD. `kind`: 1 paragraph, 2 character."""
    changes = [struct.pack("<H", 0) + paragraph, characters] if kind == 1 else [characters]
    data = struct.pack("<HHHHH", number, based << 4 | kind, len(changes), 0, 0)
    data += struct.pack("<H", len(name)) + name.encode("utf-16-le") + b"\0\0"
    for one in changes:
        data += b"\0" * (len(data) % 2) + struct.pack("<H", len(one)) + one
    return data


NORMAL = style("Normal", 0, characters=sprm(0x4A43, 21))
DEFAULT_FONT = style("Default Paragraph Font", 65, kind=2)


def style_sheet(styles: Mapping[int, bytes]) -> bytes:
    count = max(styles) + 1
    head = struct.pack("<9H", count, 10, 1, 0x5B, 15, 0, 0, 0, 0)
    body = b"".join(struct.pack("<H", len(one)) + one for one in (styles.get(n, b"") for n in range(count)))
    return struct.pack("<H", len(head)) + head + body


def fonts(*names: str) -> bytes:
    made = b""
    for name in names:
        data = bytes(39) + (name + "\0").encode("utf-16-le")
        made += bytes((len(data),)) + data
    return struct.pack("<HH", len(names), 0) + made


def plc(places: Sequence[int], items: Sequence[bytes] = ()) -> bytes:
    return struct.pack(f"<{len(places)}I", *places) + b"".join(items)


def strings(*texts: str, beside: bytes = b"") -> bytes:
    """`beside`: what stands behind each text."""
    return struct.pack("<HHH", 0xFFFF, len(texts), len(beside)) + b"".join(
        struct.pack("<H", len(one)) + one.encode("utf-16-le") + beside for one in texts
    )


def row(*edges: int, cells: bytes = b"", more: bytes = b"") -> Para:
    """The mark that ends a row, with its definition."""
    definition = bytes((len(edges) - 1,)) + struct.pack(f"<{len(edges)}h", *edges) + cells
    look = sprm(0x2416, 1) + sprm(0x2417, 1) + sprm(0x9602, 108) + more + sprm(0xD608, definition)
    return para(grpprl=look, mark="\x07")


def cell(*runs: Run | str, grpprl: bytes = b"") -> Para:
    return para(*runs, grpprl=sprm(0x2416, 1) + grpprl, mark="\x07")


def picture(content: bytes, kind: int = 0xF01E, instance: int = 0x6E0, *, mode: int = 0x64, name: bytes = b"") -> bytes:
    """A PICF with one blip, 100 by 50 points."""
    blip = struct.pack("<HHI", instance << 4, kind, 17 + len(content)) + bytes(16) + b"\xff" + content
    entry = struct.pack("<BB16xHIIIBBBB", 6, 6, 0xFF, len(blip), 1, 0, 0, 0, 0, 0) + blip
    stored = struct.pack("<HHI", 0x0F, 0xF004, 0) + struct.pack("<HHI", 0x62, 0xF007, len(entry)) + entry
    shown = (bytes((len(name),)) + name if mode == 0x66 else b"") + stored
    head = struct.pack("<iHhhhh", 68 + len(shown), 68, mode, 0, 0, 0) + bytes(14) + struct.pack("<hhHH", 2000, 1000, 1000, 1000)
    return head.ljust(68, b"\0") + shown


def document(
    *body: Para,
    stories: Mapping[str, Sequence[Para]] | None = None,
    parts: Mapping[int, bytes] | None = None,
    sections: Sequence[bytes] = (b"",),
    section_ends: Sequence[int] = (),
    styles: Mapping[int, bytes] | None = None,
    cuts: Sequence[int] = (),
    narrow: bool = False,
    data: bytes = b"",
    streams: Mapping[str, bytes] | None = None,
    **options: object,
) -> bytes:
    """The whole file. `options` go to `files`."""
    made = files(body, stories or {}, parts or {}, sections, section_ends, styles, cuts, narrow=narrow, **options)  # type: ignore[arg-type]
    return cfb.compound({**made, **({"Data": data} if data else {}), **(streams or {})})


def files(
    body: Sequence[Para],
    stories: Mapping[str, Sequence[Para]],
    parts: Mapping[int, bytes],
    sections: Sequence[bytes] = (b"",),
    section_ends: Sequence[int] = (),
    styles: Mapping[int, bytes] | None = None,
    cuts: Sequence[int] = (),
    *,
    narrow: bool = False,
    version: int = 0x00C1,
    flags: int = 0x0200,
    prm: int = 0,
    grpprls: Sequence[bytes] = (),
) -> dict[str, bytes]:
    """WordDocument and 1Table. `cuts`: places where a piece ends; pieces lie in the file in contrary order."""
    given = {"main": body, **stories}
    found = [(name, list(given.get(name, ()))) for name in _STORIES]
    counts = [sum(len(_text(one)) for one in paragraphs) for _, paragraphs in found]
    paragraphs = [one for _, some in found for one in some]
    if any(counts[1:]):
        paragraphs.append(para())
    text = "".join(map(_text, paragraphs))
    ends = sorted({*(cut for cut in cuts if 0 < cut < len(text)), len(text)})
    pieces = list(zip([0, *ends], ends, strict=False))
    width = 1 if narrow else 2
    places, stored = {}, b""
    for start, end in reversed(pieces):
        places[start] = _TEXT + len(stored)
        stored += text[start:end].encode("cp1252" if narrow else "utf-16-le", "surrogatepass")
    main = bytearray(_TEXT) + stored
    table = bytearray(_HEAD_OF_TABLE)
    where: dict[int, tuple[int, int]] = {}

    def at(place: int) -> int:
        start = max(start for start in places if start <= place)
        return places[start] + width * (place - start)

    looks = {
        Part.CHARACTER_PAGES: _pages(main, sorted(_spread(_characters(paragraphs), pieces, at, width)), 1, _chpx),
        Part.PARAGRAPH_PAGES: _pages(main, sorted(_spread(_paragraphs(paragraphs), pieces, at, width)), 13, _papx),
    }
    pcds = [struct.pack("<HIH", 0, 2 * places[start] | 0x40000000 if narrow else places[start], prm) for start, _ in pieces]
    plc_pcd = plc([0, *ends], pcds)
    clx = b"".join(b"\x01" + struct.pack("<H", len(one)) + one for one in grpprls) + b"\x02" + struct.pack("<I", len(plc_pcd)) + plc_pcd
    everything = {
        Part.STYLES: style_sheet(styles or {0: NORMAL, 10: DEFAULT_FONT}),
        Part.FONTS: fonts("ＭＳ 明朝", "Symbol", "Wingdings"),
        Part.SECTIONS: _sections(main, sections, [*section_ends, counts[0]]),
        Part.PIECES: clx,
        Part.PROPERTIES: bytes(500),
        **looks,
        **parts,
    }
    for number, part in everything.items():
        if part:
            where[number] = (len(table), len(part))
            table += part
            if number == Part.LISTS and len(part) > 2:
                where[number] = (where[number][0], 2 + 28 * struct.unpack_from("<H", part)[0])
    main[: len(_head(version, flags, counts, where))] = _head(version, flags, counts, where)
    return {"WordDocument": bytes(main).ljust(4096, b"\0"), "1Table": bytes(table)}


def _head(version: int, flags: int, counts: Sequence[int], where: Mapping[int, tuple[int, int]]) -> bytes:
    head = struct.pack("<7HI", 0xA5EC, version, 0, 0x0411, 0, flags, 0x00BF, 0).ljust(32, b"\0")
    head += struct.pack("<H", 14) + bytes(28) + struct.pack("<H", 22)
    head += struct.pack("<3i", 0, 0, 0) + struct.pack("<8i", *counts) + bytes(44)
    return head + struct.pack("<H", _PAIRS) + b"".join(struct.pack("<II", *where.get(n, (0, 0))) for n in range(_PAIRS)) + b"\0\0"


def _text(one: Para) -> str:
    return "".join(run.text for run in one.runs) + one.mark


def _characters(paragraphs: Sequence[Para]) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    for one in paragraphs:
        for run in (*one.runs, Run(one.mark, one.mark_grpprl)):
            if run.text:
                yield place, place + len(run.text), run.grpprl
            place += len(run.text)


def _paragraphs(paragraphs: Sequence[Para]) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    for one in paragraphs:
        end = place + len(_text(one))
        yield place, end, struct.pack("<H", one.style) + one.grpprl
        place = end


def _spread(found: Iterator[_Placed], pieces: Sequence[tuple[int, int]], at: Callable[[int], int], width: int) -> Iterator[_Placed]:
    """Looks by places in the text → by bytes of the file, cut where pieces end."""
    for start, end, look in found:
        for first, last in pieces:
            if max(start, first) < min(end, last):
                begin = at(max(start, first))
                yield begin, begin + width * (min(end, last) - max(start, first)), look


def _chpx(look: bytes) -> bytes:
    return bytes((len(look),)) + look if look else b""


def _papx(look: bytes) -> bytes:
    look += b"\0" * (len(look) % 2)
    return bytes((0, len(look) // 2)) + look


def _pages(main: bytearray, looks: list[_Placed], size: int, packed: Callable[[bytes], bytes]) -> bytes:
    """Pages of looks, appended to the main stream; returns the list of them."""
    places: list[int] = []
    numbers: list[bytes] = []
    last = 0
    while looks:
        main += bytes(-len(main) % _PAGE)
        page, end = bytearray(_PAGE), _PAGE - 1
        kept: list[tuple[int, int, int, bytes]] = []
        while looks:
            said = packed(looks[0][2])
            free = (end - len(said)) & ~1
            if free < 4 * (len(kept) + 2) + size * (len(kept) + 1):
                break
            start, stop, _ = looks.pop(0)
            kept.append((start, stop, free if said else 0, said))
            end = free if said else end
        for number, (start, stop, free, said) in enumerate(kept):
            struct.pack_into("<I", page, 4 * number, start)
            struct.pack_into("<I", page, 4 * number + 4, stop)
            page[4 * (len(kept) + 1) + size * number] = free // 2
            page[free : free + len(said)] = said or page[free : free + len(said)]
        page[_PAGE - 1] = len(kept)
        places.append(kept[0][0])
        numbers.append(struct.pack("<I", len(main) // _PAGE))
        last = kept[-1][1]
        main += page
    return plc([*places, last], numbers)


def _sections(main: bytearray, looks: Sequence[bytes], ends: Sequence[int]) -> bytes:
    items: list[bytes] = []
    for look in looks:
        items.append(struct.pack("<HIHI", 0, len(main), 0, 0xFFFFFFFF))
        main += struct.pack("<H", len(look)) + look
    return plc([0, *ends], items)


def locked(given: Mapping[str, bytes], password: str, *, crypto_api: bool = False) -> dict[str, bytes]:
    """Streams under a password: [MS-OFFCRYPTO] 2.3.6 and 2.3.5, blocks of 512 bytes. What the encryption says stands before the parts."""
    salt, verifier = bytes(range(16)), bytes(range(100, 116))
    digest, key = (hashlib.sha1, xls._key_api) if crypto_api else (hashlib.md5, xls._key_plain)
    cipher = Cipher(ARC4(key(password, salt, 0)), None).encryptor()
    proof = cipher.update(verifier) + cipher.update(digest(verifier).digest())
    if crypto_api:
        header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + "x\0".encode("utf-16-le")
        said = struct.pack("<HHII", 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + salt + proof[:16] + struct.pack("<I", 20) + proof[16:]
    else:
        said = struct.pack("<HH", 1, 1) + salt + proof

    def encrypted(stream: bytes) -> bytes:
        blocks = (stream[at : at + _PAGE] for at in range(0, len(stream), _PAGE))
        return b"".join(Cipher(ARC4(key(password, salt, n)), None).encryptor().update(block) for n, block in enumerate(blocks))

    main = given["WordDocument"]
    flags = struct.unpack_from("<H", main, 10)[0] | 0x0100
    head = main[:10] + struct.pack("<HHI", flags, 0x00BF, len(said)) + main[18:68]
    made = {name: encrypted(stream) for name, stream in given.items()}
    return made | {"WordDocument": head + made["WordDocument"][68:], "1Table": said + made["1Table"][len(said) :]}
