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
