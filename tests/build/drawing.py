"""Drawings and maps as their programs write them: DXF, SXF (.p21, .sfc) and shapefiles."""

from __future__ import annotations

import struct


def dxf(*entities: tuple[tuple[int, object], ...], objects: tuple[tuple[tuple[int, object], ...], ...] = (), end: str = "\r\n") -> bytes:
    """R2000 with a header, one layer and the given entities as (code, value) pairs."""
    pairs: list[tuple[int, object]] = [
        (999, "made by a test"), (0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"), (9, "$DWGCODEPAGE"), (3, "ANSI_932"),
        (9, "$EXTMIN"), (10, 0.0), (20, -1.5), (30, "1.0E+20"), (0, "ENDSEC"), (0, "SECTION"), (2, "TABLES"), (0, "TABLE"), (2, "LAYER"),
        (5, "2"), (70, 1), (0, "LAYER"), (5, "10"), (100, "AcDbLayerTableRecord"), (2, "外構図"), (70, 0), (62, 7), (6, "CONTINUOUS"),
        (0, "ENDTAB"), (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES"),
    ]  # fmt: skip
    for entity in entities or (LINE, TEXT):
        pairs += entity
    pairs += [(0, "ENDSEC")]
    if objects:
        pairs += [(0, "SECTION"), (2, "OBJECTS"), *(pair for one in objects for pair in one), (0, "ENDSEC")]
    pairs += [(0, "EOF")]
    return "".join(f"{code:>3}{end}{value}{end}" for code, value in pairs).encode("cp932")


LINE: tuple[tuple[int, object], ...] = ((0, "LINE"), (5, "1F"), (8, "外構図"), (10, 0.0), (20, 0.0), (11, 100.25), (21, -3.5))
TEXT: tuple[tuple[int, object], ...] = ((0, "TEXT"), (8, "0"), (10, 1), (20, 2), (40, 2.5), (1, "能登①　表計算ソフト"), (50, 0.0))


HEADER = (
    "ISO-10303-21;\r\nHEADER;\r\nFILE_DESCRIPTION(('SCADEC level2 {mode}'),\r\n        '2;1');\r\n"
    "FILE_NAME('図面.sfc','2026-11-20T10:00:00',('設計　太郎'),('（株）測量'),'SCADEC_API_Ver3.30$$3.1','CAD','');\r\n"
    "FILE_SCHEMA(('ASSOCIATIVE_DRAUGHTING'));\r\nENDSEC;\r\nDATA;\r\n"
)
END = "ENDSEC;\r\nEND-ISO-10303-21;\r\n"
FEATURES = (
    "#10 = pre_defined_colour_feature(\\'black\\')", "#20 = width_feature('0.250000')",
    "#30 = line_feature('1','1','1','3','100.000000','100.000000','300.000000','200.000000')",
    "#40 = text_string_feature('1','1','1',\\'能登の表（第１号）\\','0.0','0.0','3.5','10.0','0.0','0.0','0.0','1','1')",
    "#50 = polyline_feature('1','2','1','3','5','(0,4,4,0,0)','(0,0,3,3,0)')", "#60 = drawing_sheet_feature(\\'図面\\','1','1','841','594')",
    "#70 = layer_feature(\\'ﾚｲﾔ\\','1')",
)  # fmt: skip


def sfc(*features: str, more: str = "") -> bytes:
    body = "".join(f"/*SXF\r\n{feature}\r\nSXF*/\r\n\r\n" for feature in features or FEATURES)
    return (HEADER.format(mode="feature_mode") + body + more + END).encode("cp932")


INSTANCES = (
    "#10=CARTESIAN_POINT('',(0.,-1.5E2,+3));", "#20=DIRECTION('',(1.,0.));", "#30=VECTOR('',#20,1.);", "#40=LINE('線''分',#10,#30);",
    "#50=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));", "#60=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(1.),#50);",
    "#70=PRODUCT('図','',$,(#10,(#20,#30)),\"0A3F\");",
)  # fmt: skip


def p21(*instances: str, before: str = "", after: str = "") -> bytes:
    return (before + HEADER.format(mode="ap202_mode") + "\r\n".join(instances or INSTANCES) + "\r\n" + END + after).encode("cp932")


def shp(*records: bytes, kind: int = 1, words: int | None = None) -> bytes:
    body = b"".join(struct.pack(">ii", number, len(record) // 2) + record for number, record in enumerate(records, 1))
    return _shape_header(kind, (100 + len(body)) // 2 if words is None else words) + body


def shx(*records: bytes, kind: int = 1) -> bytes:
    body, at = b"", 50
    for record in records:
        body += struct.pack(">ii", at, len(record) // 2)
        at += 4 + len(record) // 2
    return _shape_header(kind, (100 + len(body)) // 2) + body


def _shape_header(kind: int, words: int) -> bytes:
    return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words) + struct.pack("<2i8d", 1000, kind, 0, 0, 1, 1, 0, 0, 0, 0)


POINT = struct.pack("<i2d", 1, 139.7, 35.6)
POLYGON = struct.pack("<i4d2ii8d", 5, 0, 0, 1, 1, 1, 4, 0, 0, 0, 0, 1, 1, 1, 0, 0)


MANY_POINTS = struct.pack("<i4di4d", 8, 0, 0, 1, 1, 2, 0, 0, 1, 1)


def dbf(*rows: tuple[str, str], types: str = "CN", version: int = 3) -> bytes:
    widths = (20, 8)
    fields = b"".join(
        name.encode("cp932").ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([width, 0]) + bytes(14)
        for name, kind, width in zip(("名称", "番号"), types, widths, strict=True)
    )
    begin, size = 33 + 64, 1 + sum(widths)
    head = struct.pack("<4BIHH20x", version, 126, 11, 20, len(rows), begin, size)
    body = b"".join(b" " + name.encode("cp932").ljust(20) + number.encode().rjust(8) for name, number in rows)
    return head + fields + b"\r" + body + b"\x1a"


def jww(
    *figures: tuple[bytes, bytes], blocks: tuple[tuple[int, tuple[tuple[bytes, bytes], ...]], ...] = (), version: int = 700, time: int = 4,
    memo: str = "図面の説明\r\n二行目", pictures: bytes | None = None, after: bytes = b"",
) -> bytes:  # fmt: skip
    """A drawing of Jw_cad: `figures` are (class, content), `blocks` (number, figures). Written field by field after jwdatafmt.txt."""
    out = b"JwwData." + struct.pack("<I", version) + text(memo) + struct.pack("<II", 3, 0)
    for _ in range(16):
        out += struct.pack("<IIdI", 2, 0, 100.0, 0) + struct.pack("<II", 2, 0) * 16
    out += bytes(14 * 4) + struct.pack("<5I", *range(1, 6)) + bytes(4) + struct.pack("<i3d2I5d", -101, 0, 0, 1, 0, 0, 5, 1, 1, 0, 0)
    out += text("外構図") * 256 + text("建築") * 16 + struct.pack("<ddId", 0, 35.6, 0, 0) + struct.pack("<dd", 0, 100)
    out += struct.pack("<I6d", 0, 1, 0, 0, 1, 0, 0) + struct.pack("<3dI", 1, 0, 0, 0) * 8 + struct.pack("<3dI3dI", 0, 0, 0, 0, 0, 0, 0, 0)
    out += struct.pack("<11d", *[1.0] * 11) + struct.pack("<II", 1, 1) * 10 + struct.pack("<IId", 1, 1, 0.5) * 10 + bytes(8 * 16 + 5 * 20 + 4 * 16)
    out += bytes(11 * 4) + bytes(5 * 4) + struct.pack("<9d", *[1.0] * 9) + struct.pack("<II", 0, 0xFFFFFF)
    if version >= 420:
        out += bytes(257 * 8) + (text("赤") + bytes(16)) * 257 + bytes(33 * 16) + (text("破線") + bytes(84)) * 33
    out += struct.pack("<3dI", 3, 3, 0, 1) * 10 + struct.pack("<3dII2dI6d", 3, 3, 0, 1, 1, 0, 0, 0, *[0.0] * 6)
    writer = _Objects(version)
    out += writer.list(figures)
    out += struct.pack("<H", len(blocks))
    for number, inside in blocks:
        head = writer.tag(b"CDataList") + general(version) + struct.pack("<II", number, 1) + bytes(time) + text(f"部品{number}")
        out += head + writer.list(inside)
    if version >= 700:
        out += struct.pack("<I", 0) if pictures is None else pictures
    return out + after


class _Objects:
    """Numbers classes and objects as MFC does."""

    def __init__(self, version: int) -> None:
        self._version, self._next, self._classes = version, 1, dict[bytes, int]()

    def tag(self, name: bytes) -> bytes:
        known = self._classes.get(name)
        self._next += 1 if known else 2
        if known:
            return struct.pack("<H", 0x8000 | known) if known < 0x7FFF else struct.pack("<HI", 0x7FFF, 0x80000000 | known)
        self._classes[name] = self._next - 2
        return struct.pack("<HHH", 0xFFFF, self._version, len(name)) + name

    def list(self, figures: tuple[tuple[bytes, bytes], ...]) -> bytes:
        count = struct.pack("<H", len(figures)) if len(figures) < 0xFFFF else struct.pack("<HI", 0xFFFF, len(figures))
        return count + b"".join(self.tag(name) + content for name, content in figures)


def text(said: str, *, wide: bool = False) -> bytes:
    """A CString; `wide`: in UTF-16."""
    raw = said.encode("utf-16-le" if wide else "cp932")
    length = len(raw) // 2 if wide else len(raw)
    count = bytes([length]) if length < 0xFF else b"\xff" + struct.pack("<H", length) if length < 0xFFFE else b"\xff\xff\xff" + struct.pack("<I", length)
    return (b"\xff\xfe\xff" if wide else b"") + count + raw


def general(version: int = 700, style: int = 1, colour: int = 2) -> bytes:
    return struct.pack("<IBH", 0, style, colour) + (struct.pack("<H", 0) if version >= 351 else b"") + struct.pack("<HHH", 0, 0, 0)


def sen(version: int = 700) -> bytes:
    return general(version) + struct.pack("<4d", 0, 0, 100.5, -3)


def moji(said: str = "能登①　表計算ソフト", version: int = 700, *, wide: bool = False) -> bytes:
    return general(version) + struct.pack("<4dI4d", 0, 0, 10, 0, 1, 3, 3, 0, 0) + text("ＭＳ ゴシック") + text(said, wide=wide)


def ten(version: int = 700) -> bytes:
    return general(version) + struct.pack("<2dI", 1, 2, 0)


def jww_figures(version: int = 700) -> tuple[tuple[bytes, bytes], ...]:
    """One of each class."""
    base = general(version)
    sunpou = base + sen(version) + moji("1,000", version) + ((b"\0\0" + sen(version) * 2 + ten(version) * 4) if version >= 420 else b"")
    return (
        (b"CDataSen", sen(version)), (b"CDataSen", sen(version)), (b"CDataEnko", base + struct.pack("<7dI", 0, 0, 5, 0, 6.28, 0, 1, 1)),
        (b"CDataTen", ten(version)), (b"CDataTen", general(version, style=100) + struct.pack("<2dII2d", 1, 2, 0, 3, 0, 1)),
        (b"CDataMoji", moji(version=version)), (b"CDataSunpou", sunpou), (b"CDataSolid", base + struct.pack("<8d", *range(8))),
        (b"CDataSolid", general(version, colour=10) + struct.pack("<8dI", *range(8), 0xFF00)), (b"CDataBlock", base + struct.pack("<5dI", 0, 0, 1, 1, 0, 1)),
    )  # fmt: skip
