"""What must be gone (L01, L02, L04 to L06 and every removal of the module), seen by olefile and olevba; words stay; twice is once."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import olefile
import pytest
from oletools.olevba import VBA_Parser

from sanitizers.model import Action, Kind, Verdict
from sanitizers.verify import ppt as opinion
from tests.build import ppt as build
from tests.build import xls as build_xls
from tests.build.context import run
from tests.build.image import png_chunk, png_with
from tests.build.ppt import CANARY, box, click, data, link, objects, record, shape, slide, sound, string, words

EVIL = f"http://192.0.2.1/{CANARY}"
WIDE = CANARY.encode("utf-16-le")
RAW = CANARY.encode()


def _click(action: int, link_: int = 0, kind: int = 0xFF) -> tuple[bytes, ...]:
    return (shape(data(click(sound(link_, action, 0, kind), string(CANARY, 2)))),)


def _linked(*inside: bytes, action: int = 4, kind: int = 8) -> bytes:
    return build.presentation(slide(shapes=_click(action, 5, kind)), first=objects(*inside))


def _object(stored: bytes = RAW * 40) -> bytes:
    """An object in a part, which a shape shows."""
    shown = slide(shapes=(shape(data(record(0x0BC1, struct.pack("<I", 1))), kind=75, flags=0x0A10),))
    return build.presentation(shown, first=objects(build.embedded(1, 4)), parts=(build.storage(stored),))


def _shown(*inside: bytes) -> bytes:
    return build.presentation(slide(shapes=(shape(*inside),)))


def _with(*properties: tuple[int, int | bytes]) -> bytes:
    return build.presentation(slide(shapes=(shape(properties=properties),)))


def _beside(name: str, content: bytes = RAW * 9) -> bytes:
    return build.presentation(streams={name: content})


def _sheet(kind: int, values: dict[int, str], stream: str = "\x05SummaryInformation", **names: dict[int, str]) -> bytes:
    return _beside(stream, build_xls.properties((build.SUMMARY, build.USER)[kind].hex(), values, **names))


def _animated(*inside: bytes) -> bytes:
    """In the second of two nested moments."""
    moment = box(0xF144, record(0xF127, bytes(32)), *inside, instance=1)
    return build.presentation(slide(build.tag("___PPT10", box(0xF144, record(0xF127, bytes(32)), moment, instance=1))))


TEXT_LINK = (words("語", click(sound(5, 1, 0, 0xFF), string(CANARY, 2)), record(0x0FDF, struct.pack("<II", 0, 1))),)
ANIMATED = struct.pack("<IIIIHHBBBBBxxx", 7, 0x14, 3, 9, 1, 0, 0, 3, 1, 0, 0)

DANGERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "L01 VBA in a part": (lambda: build.presentation(more=(box(0x07D0, box(0x03FF, record(0x0400, struct.pack("<III", 4, 1, 2), 2))),), parts=(build.storage(RAW * 90),)), "ppt.macro"),
    "L01 VBA in a storage": (lambda: _beside("_VBA_PROJECT_CUR/VBA/dir"), "ppt.macro"),
    "L02 object": (_object, "ppt.object"),
    "L02 linked object": (lambda: build.presentation(first=objects(box(0x0FCE, record(0x0FC3, struct.pack("<IIIIII", 1, 1, 7, 2, 4, 0), 1), string(EVIL, 1)))), "ppt.external_link"),
    "L02 control": (lambda: build.presentation(first=objects(box(0x0FEE, record(0x0FC3, struct.pack("<IIIIII", 1, 2, 7, 2, 4, 0), 1), string(CANARY, 1)))), "ppt.object"),
    "L04 storage of an object": (lambda: _beside("MBD0001/\x01Ole10Native"), "ppt.object"),
    "L04 unknown stream": (lambda: _beside("Payload"), "ppt.unknown_stream"),
    "L06 template and author": (lambda: _sheet(0, {4: CANARY, 7: EVIL}), "file.metadata"),
    "L06 user-defined": (lambda: _sheet(1, {2: CANARY}, "\x05DocumentSummaryInformation", names={2: "会社"}), "file.metadata"),
    "last user": (lambda: build.presentation(user=CANARY), "file.metadata"),
    "macro by a click": (lambda: build.presentation(slide(shapes=_click(1))), "ppt.macro"),
    "program by a click": (lambda: build.presentation(slide(shapes=_click(2))), "ppt.program"),
    "object by a click": (lambda: build.presentation(slide(shapes=_click(5))), "ppt.object"),
    "media by a click": (lambda: build.presentation(slide(shapes=_click(6))), "ppt.media"),
    "macro by the pointer": (lambda: _shown(data(box(0x0FF2, sound(0, 1, 0, 0xFF), string(CANARY, 2), instance=1))), "ppt.macro"),
    "two actions of one click": (lambda: _shown(data(click(sound(), sound(jump=2)))), "ppt.broken_record"),
    "macro in text": (lambda: build.presentation(slide(shapes=(shape(*TEXT_LINK),))), "ppt.macro"),
    "script link": (lambda: _linked(link(5, f"javascript:{CANARY}")), "ppt.hyperlink"),
    "file link": (lambda: _linked(link(5, f"file://192.0.2.1/{CANARY}")), "ppt.hyperlink"),
    "path link": (lambda: _linked(link(5, f"\\\\192.0.2.1\\{CANARY}")), "ppt.hyperlink"),
    "place in a path": (lambda: _linked(link(5, place=f"\\\\192.0.2.1\\{CANARY}")), "ppt.hyperlink"),
    "link to another presentation": (lambda: _linked(link(5, f"https://www.example.jp/{CANARY[:3]}"), kind=9), "ppt.hyperlink"),
    "link that is nowhere": (lambda: build.presentation(slide(shapes=_click(4, 77, 8))), "ppt.hyperlink"),
    "link of a shape": (lambda: _with((0x382, EVIL.encode("utf-16-le"))), "ppt.hyperlink"),
    "script of a shape": (lambda: _with((0x38E, WIDE)), "ppt.macro"),
    "linked picture": (lambda: _with((0x105, EVIL.encode("utf-16-le")), (0x106, 0x0A)), "ppt.external_link"),
    "name of a picture": (lambda: _with((0x105, WIDE)), "file.metadata"),
    "name of a filling": (lambda: _with((0x187, WIDE)), "file.metadata"),
    "unknown property": (lambda: _with((0x3F7, RAW)), "ppt.unknown_record"),
    "film": (lambda: build.presentation(first=objects(box(0x1006, box(0x1005, record(0x1004, struct.pack("<IHxx", 7, 0)), string(EVIL))))), "ppt.media"),
    "sounds": (lambda: build.presentation(first=box(0x07E4, box(0x07E6, string(CANARY), record(0x07E7, RAW)))), "ppt.sound"),
    "sound of a click": (lambda: build.presentation(slide(shapes=(shape(data(click(sound(0, 3, 1, 0, noise=3)))),))), "ppt.sound"),
    "sound of an animation": (lambda: _shown(data(box(0x1014, record(0x0FF1, ANIMATED, 1), box(0x07E6, string(CANARY))))), "ppt.sound"),
    "sound of a slide": (lambda: build.presentation(slide(record(0x03F9, struct.pack("<IIBBHBxxx", 0, 3, 0, 0, 0x50, 0)))), "ppt.sound"),
    "embedded font": (lambda: build.presentation(first=build.environment(box(0x07D5, build.font(), record(0x0FB8, RAW)))), "ppt.embedded_font"),
    "data of an add-in": (lambda: build.presentation(slide(build.tag("VENDOR", RAW))), "ppt.tag"),
    "words of an add-in": (lambda: build.presentation(slide(box(0x1388, box(0x1389, string("N"), string(CANARY, 1))))), "file.metadata"),
    "film in an animation": (lambda: _animated(box(0xF132, record(0xF13B, bytes(8)), record(0xF142, b"\3" + WIDE))), "ppt.animation"),
    "sound in an animation": (lambda: _animated(box(0xF13C, record(0x2AFB, struct.pack("<5I", 3, 2, 1, 0, 0))), record(0xF142, b"\3" + WIDE)), "ppt.animation"),
    "moment that is too long": (lambda: _animated(record(0xF129, RAW * 4)), "ppt.broken_record"),
    "change of an unknown kind": (lambda: _animated(box(0xF131, record(0xF142, b"\7" + RAW))), "ppt.broken_record"),
    "mail": (lambda: build.presentation(more=(box(0x07D0, build.tag("___PPT9", record(0x1785, RAW))),)), "ppt.mail"),
    "mail of a circulation": (lambda: build.presentation(more=(record(0x0406, RAW),)), "file.metadata"),
    "unknown record in a slide": (lambda: build.presentation(slide(record(0x7777, RAW))), "ppt.unknown_record"),
    "unknown record in the document": (lambda: build.presentation(more=(record(0x7777, RAW),)), "ppt.unknown_record"),
    "unknown record in a shape": (lambda: _shown(record(0x7777, RAW)), "ppt.unknown_record"),
    "unknown record in a text": (lambda: _shown(words("a", record(0x7777, RAW))), "ppt.unknown_record"),
    "numbers that are too long": (lambda: _shown(record(0xF00F, bytes(16) + RAW)), "ppt.broken_record"),
    "formats that are cut off": (lambda: _shown(words("ab", record(0x0FA1, struct.pack("<IHI", 3, 0, 0x80) + b"\1"))), "ppt.broken_record"),
    "formats with unknown bits": (lambda: _shown(words("ab", record(0x0FA1, struct.pack("<IHI", 3, 0, 0x8000_0000) + RAW[:4] + struct.pack("<II", 3, 0)))), "ppt.broken_record"),
    "runs without length": (lambda: _shown(words("ab", record(0x0FA1, bytes(10) + RAW))), "ppt.broken_record"),
    "a name with half a character": (lambda: build.presentation(slide(record(0x0FBA, RAW, 0, 3))), "ppt.broken_record"),
    "properties that are cut off": (lambda: _shown(record(0xF122, struct.pack("<HI", 0x8145, 0xFFFF) + RAW, 3, 1)), "ppt.broken_record"),
}  # fmt: skip


def canaries(made: bytes) -> list[bytes]:
    """What may not be in any stream, plain, inflated or in hex."""
    with olefile.OleFileIO(io.BytesIO(made)) as compound:
        layers = [made, *(compound.openstream(path).read() for path in compound.listdir())]
    for layer in tuple(layers):
        at = layer.find(b"\x78")
        while at >= 0:
            try:
                layers.append(zlib.decompressobj().decompress(layer[at:], 1 << 20))
            except zlib.error:
                pass
            at = layer.find(b"\x78", at + 1)
    wanted = (RAW, WIDE, b"192.0.2.1", "192.0.2.1".encode("utf-16-le"), RAW.hex().encode())
    return [one for one in wanted if any(one in layer for layer in layers)]


@pytest.mark.parametrize("case", DANGERS)
def test_it_is_gone(case: str) -> None:
    make, code = DANGERS[case]
    given = make()
    outcome = run(given, "x.ppt")
    assert outcome.content is not None, outcome.report
    assert outcome.report.verdict is Verdict.SANITIZED
    assert code in {one.code for one in outcome.report.findings if one.action in (Action.REMOVED, Action.REWRITTEN)}
    made = outcome.content.bytes()
    assert canaries(made) == []
    parser = VBA_Parser("x.ppt", made)
    assert not parser.detect_vba_macros()
    parser.close()
    again = run(made, "x.ppt")
    assert again.report.verdict is Verdict.CLEAN, again.report.findings
    assert again.content is not None
    assert again.content.bytes() == made


PLACES: dict[str, Callable[[], bytes]] = {
    "L05 slack": lambda: build.presentation(slack=RAW),
    "L05 behind the file": lambda: build.presentation(tail=RAW * 50),
    "before the first part": lambda: build.presentation(before=record(0x7777, RAW * 9)),
    "a part that nobody names": lambda: build.presentation(parts=(record(0x7777, RAW * 9),)),
    "behind the name of a font": lambda: build.presentation(first=build.environment(box(0x07D5, build.font("A", CANARY)))),
    "behind the name of a slide": lambda: build.presentation(slide(string(f"a\0{CANARY}", 3))),
    "behind the words of a property": lambda: _with((0x380, f"a\0{CANARY}".encode("utf-16-le"))),
    "behind the properties": lambda: _shown(record(0xF122, struct.pack("<HI", 4, 0) + RAW, 3, 1)),
    "behind the points of a line": lambda: _with((0x145, struct.pack("<HHH4h", 2, 2, 4, 0, 0, 9, 9) + RAW)),
    "behind the runs of a text": lambda: _shown(words("a", record(0x0FA1, struct.pack("<IHIII", 2, 0, 0, 2, 0) + RAW))),
    "in the numbers of a text box": lambda: _with((0x80, struct.unpack("<I", RAW[:4])[0]), (0x380, b"a\0\0\0")),
    "behind the name of a running show": lambda: build.presentation(more=(record(0x0401, bytes(12) + ("a\0" + CANARY).encode("utf-16-le").ljust(64, b"\0") + bytes(4), 1),)),
    "what later versions say": lambda: build.presentation(slide(record(0x040E, RAW), record(0x2B0D, RAW)), more=(record(0x0428, RAW),)),
    "views": lambda: build.presentation(more=(box(0x07D0, box(0x03FA, record(0x03FD, RAW * 5))),)),
    "tags of later versions": lambda: build.presentation(slide(build.tag("___PPT12", record(0x7777, RAW)))),
    "pictures that nobody names": lambda: build.presentation(streams={"Pictures": build.blip(RAW * 9)}),
    "a table of pictures without pictures": lambda: build.presentation(pictures=(box(0xF001, record(0xF007, RAW.ljust(36, b"\0"), 2)), b"")),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_nothing_hides_where_nobody_reads(case: str) -> None:
    """Not worth a word: every program that writes a presentation leaves it behind."""
    given = PLACES[case]()
    assert canaries(given) or case == "in the numbers of a text box" or case == "a table of pictures without pictures"
    outcome = run(given, "x.ppt")
    assert outcome.content is not None, outcome.report
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    made = outcome.content.bytes()
    assert canaries(made) == []
    assert RAW[:4] not in made


def test_the_picture_of_an_object_stays() -> None:
    """And its shape is no object any more."""
    outcome = run(_object(), "x.ppt")
    assert outcome.content is not None
    found = {one.code: one for one in outcome.report.findings if one.action is Action.REWRITTEN}
    assert found["ppt.object"].where == "slide 1"
    with olefile.OleFileIO(io.BytesIO(outcome.content.bytes())) as compound:
        stream = compound.openstream("PowerPoint Document").read()
    shapes = [one for one in opinion._tree(memoryview(stream)) if one.kind == 0xF00A and one.instance == 75]
    assert [struct.unpack("<II", one.data)[1] for one in shapes] == [0x0A00]


def test_a_link_in_text_goes_with_its_characters() -> None:
    """Else the next link would get them."""
    outcome = run(build.presentation(slide(shapes=(shape(*TEXT_LINK),))), "x.ppt")
    assert outcome.content is not None
    with olefile.OleFileIO(io.BytesIO(outcome.content.bytes())) as compound:
        stream = compound.openstream("PowerPoint Document").read()
    assert [one.kind for one in opinion._tree(memoryview(stream)) if one.kind in (0x0FF2, 0x0FDF)] == []


def test_a_picture_goes_round_the_engine() -> None:
    said = png_with(png_chunk(b"tEXt", b"Comment\0" + RAW))
    outcome = run(build.presentation(pictures=build.store(build.blip(said))), "x.ppt")
    assert outcome.content is not None
    assert [part.input.kind for part in outcome.report.parts] == [Kind.PNG]
    assert canaries(outcome.content.bytes()) == []
