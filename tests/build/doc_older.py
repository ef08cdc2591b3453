"""Documents of Word 6 and 95: one stream with the head, the text, pages of looks and the pieces."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from sanitizers.formats.doc.fib import Part
from tests.build import cfb

TEXT = 1024
_PAGE = 512
ROW_END = b"\x18\x01\x19\x01"
DELETED = b"\x41\x01"
_STORIES = ("main", "footnotes", "headers", "macros", "comments", "endnotes", "text_boxes", "header_text_boxes")
Span = tuple[int, int, bytes]     # from, to (bytes of the text), look


def document(said: str = "本文\r", /, *, streams: Mapping[str, bytes] | None = None, **options: object) -> bytes:
    """`options` go to `stream`."""
    return cfb.compound({"WordDocument": stream(said, **options), **(streams or {})})     # type: ignore[arg-type]


def stream(
    said: str,
    *,
    stories: Mapping[str, str] | None = None,
    codec: str = "cp932",
    wide: bool = False,
    version: int = 104,
    language: int = 0x0411,
    characters: int = 0,
    flags: int = 0,
    cuts: Sequence[int] = (),
    looks: Sequence[Span] = (),
    paragraphs: Sequence[Span] = (),
    parts: Mapping[int, bytes] | None = None,
    counts: Mapping[str, int] | None = None,
) -> bytes:
    """`wide`: two bytes for each character; `cuts`: bytes of the text where a piece ends; pieces then lie in the file in contrary order, and the document is a complex one."""
    width = 2 if wide else 1
    texts = {name: _stored(said if name == "main" else (stories or {}).get(name, ""), codec, wide=wide) for name in _STORIES}
    flags |= 0x1000 if wide else 0
    whole = b"".join(texts.values()) + (_stored("\r", codec, wide=wide) if stories else b"")
    ends = sorted({*(cut for cut in cuts if 0 < cut < len(whole)), len(whole)})
    pieces = list(zip([0, *ends], ends, strict=False))
    stored, places = b"", {}
    for start, end in reversed(pieces) if cuts else pieces:
        places[start] = TEXT + len(stored)
        stored += whole[start:end]
    main = bytearray(TEXT) + stored

    def at(place: int) -> int:
        start = max(start for start in places if start <= place)
        return places[start] + place - start

    everything = {
        Part.CHARACTER_PAGES: _pages(main, [(at(start), at(end - 1) + 1, look) for start, end, look in looks], 1),
        Part.PARAGRAPH_PAGES: _pages(main, [(at(start), at(end - 1) + 1, look) for start, end, look in paragraphs], 7),
        **(parts or {}),
    }
    if cuts:
        table = struct.pack(f"<{len(pieces) + 1}I", 0, *ends) + b"".join(struct.pack("<HIH", 0, places[start], 0) for start, _ in pieces)
        everything[Part.PIECES] = b"\x01" + struct.pack("<H", 2) + b"\x41\x00" + b"\x02" + struct.pack("<I", len(table)) + table
        flags |= 0x0004
    where = {}
    for number, part in everything.items():
        where[number] = (len(main), len(part))
        main += part
    lengths = {name: len(one) // width for name, one in texts.items()} | dict(counts or {})
    head = struct.pack("<6H", 0xA5DC, version, 0xC02D, language, 0, flags).ljust(0x14, b"\0")
    head += struct.pack("<HHII", characters, characters, TEXT, TEXT + len(stored)).ljust(0x20, b"\0")
    head = head.ljust(0x34, b"\0") + struct.pack("<8I", *(lengths[name] for name in _STORIES))
    head = head.ljust(0x58, b"\0") + b"".join(struct.pack("<II", *where.get(number, (0, 0))) for number in range(40))
    main[: len(head)] = head
    return bytes(main).ljust(4096, b"\0")


def _stored(text: str, codec: str, *, wide: bool) -> bytes:
    """Wide: two bytes for each character, a pair of the set as one number."""
    if not wide:
        return text.encode(codec)
    return b"".join(int.from_bytes(one.encode(codec), "big").to_bytes(2, "little") for one in text)


def fonts(*found: tuple[str, int]) -> bytes:
    """Names and character sets."""
    made = b""
    for name, number in found:
        data = b"\0" + struct.pack("<HBB", 400, number, 0) + name.encode("cp932") + b"\0"
        made += bytes((len(data),)) + data
    return struct.pack("<H", len(made) + 2) + made


def _pages(main: bytearray, spans: Sequence[Span], entry: int) -> bytes:
    """One page of looks behind the text, and the list of pages."""
    if not spans:
        return b""
    main += bytes(-len(main) % _PAGE)
    page, end = bytearray(_PAGE), _PAGE - 1
    places = [start for start, _, _ in sorted(spans)] + [max(end for _, end, _ in spans)]
    struct.pack_into(f"<{len(places)}I", page, 0, *places)
    for index, (_, _, look) in enumerate(sorted(spans)):
        if not look:
            continue
        kept = bytes((len(look),)) + look if entry == 1 else bytes(((len(look) + 2) // 2, 0)) + look
        end = (end - len(kept)) & ~1
        page[end : end + len(kept)] = kept
        page[4 * len(places) + entry * index] = end // 2
    page[-1] = len(spans)
    number = len(main) // _PAGE
    main += page
    return struct.pack("<IIH", places[0], places[-1], number)
