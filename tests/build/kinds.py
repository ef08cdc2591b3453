"""The smallest sample of every kind: enough for a program to take it for what it is, and no more."""

from __future__ import annotations

import struct
import zlib

from sanitizers.model import Kind
from tests.build.drawing import POINT, dbf, shp, shx

_ROOT, _STORAGE, _STREAM, _NONE = 5, 1, 2, 0xFFFF_FFFF
_OFFICE = "application/vnd.openxmlformats-officedocument."
_CONTENT_TYPES = {
    Kind.DOCX: f"{_OFFICE}wordprocessingml.document.main+xml",
    Kind.DOCM: "application/vnd.ms-word.document.macroEnabled.main+xml",
    Kind.DOTX: f"{_OFFICE}wordprocessingml.template.main+xml",
    Kind.DOTM: "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    Kind.XLSX: f"{_OFFICE}spreadsheetml.sheet.main+xml",
    Kind.XLSM: "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    Kind.XLSB: "application/vnd.ms-excel.sheet.binary.macroEnabled.main",
    Kind.XLTX: f"{_OFFICE}spreadsheetml.template.main+xml",
    Kind.XLTM: "application/vnd.ms-excel.template.macroEnabled.main+xml",
    Kind.XLAM: "application/vnd.ms-excel.addin.macroEnabled.main+xml",
    Kind.PPTX: f"{_OFFICE}presentationml.presentation.main+xml",
    Kind.PPTM: "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    Kind.PPSX: f"{_OFFICE}presentationml.slideshow.main+xml",
    Kind.PPSM: "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
    Kind.POTX: f"{_OFFICE}presentationml.template.main+xml",
    Kind.POTM: "application/vnd.ms-powerpoint.template.macroEnabled.main+xml",
    Kind.PPAM: "application/vnd.ms-powerpoint.addin.macroEnabled.main+xml",
    Kind.VSDX: "application/vnd.ms-visio.drawing.main+xml",
    Kind.XPS: "application/vnd.ms-package.xps-fixeddocumentsequence+xml",
}


def archive(members: dict[str, bytes], *, packed: bool = True) -> bytes:
    """A plain ZIP, written byte by byte."""
    body, directory = b"", b""
    for name, data in members.items():
        raw = zlib.compressobj(wbits=-15)
        content = raw.compress(data) + raw.flush() if packed else data
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8 if packed else 0, 0, 0x21, zlib.crc32(data), len(content), len(data), len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\x03\x04" + fields + name.encode() + content
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)


def office(kind: Kind) -> bytes:
    """An Office package of which only the list of content types is there."""
    types = f'<Types><Default Extension="xml" ContentType="application/xml"/><Override ContentType="{_CONTENT_TYPES[kind]}"/></Types>'
    return archive({"[Content_Types].xml": types.encode(), "_rels/.rels": b"<Relationships/>"})


def opendocument(kind: str) -> bytes:
    return archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(), "content.xml": b"<x/>"}, packed=False)


def compound(*names: str, class_id: bytes = bytes(16), nested: tuple[str, ...] = (), padding_sectors: int = 0) -> bytes:
    """A compound file (version 3) with empty streams: `names` below the root, `nested` in a storage of it.

    `padding_sectors` of nothing stand before the directory, so that its sector number is high.
    """
    entries = [_entry("Root Entry", _ROOT, child=1, class_id=class_id)]
    entries += [_entry(name, _STREAM, right=at + 1 if at < len(names) or nested else _NONE) for at, name in enumerate(names, 1)]
    if nested:
        at = len(entries)
        entries.append(_entry("Inner", _STORAGE, child=at + 1))
        entries += [_entry(name, _STREAM, right=at + 2 + i if i + 1 < len(nested) else _NONE) for i, name in enumerate(nested)]
    entries += [bytes(128)] * (-len(entries) % 4)
    count = len(entries) // 4
    directory = padding_sectors
    used = directory + count
    fats = -(-(used + used // 64 + 8) // 127)
    difats = max(0, -(-(fats - 109) // 127))
    table = [0xFFFF_FFFE] * padding_sectors + [*range(directory + 1, used), 0xFFFF_FFFE]
    table += [0xFFFF_FFFD] * fats + [0xFFFF_FFFC] * difats
    table += [_NONE] * (fats * 128 - len(table))
    where = list(range(used, used + fats))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", fats, directory, 0, 4096, 0xFFFF_FFFE, 0, used + fats if difats else 0xFFFF_FFFE, difats, 0)[:36]
    header = header[:76] + struct.pack("<109I", *(where[:109] + [_NONE] * (109 - len(where[:109]))))
    return header + bytes(512 * padding_sectors) + b"".join(entries) + struct.pack(f"<{len(table)}I", *table) + _difat(where[109:], used + fats)


def _difat(rest: list[int], at: int) -> bytes:
    out = b""
    while rest:
        part, rest = rest[:127], rest[127:]
        at += 1
        out += struct.pack("<128I", *(part + [_NONE] * (127 - len(part))), at if rest else 0xFFFF_FFFE)
    return out


def _entry(name: str, kind: int, *, right: int = _NONE, child: int = _NONE, class_id: bytes = bytes(16)) -> bytes:
    raw = name.encode("utf-16-le")
    return (raw + bytes(64))[:64] + struct.pack("<HBBIII", len(raw) + 2, kind, 1, _NONE, right, child) + class_id + bytes(32)


def _iso(*marks: tuple[int, bytes]) -> bytes:
    image = bytearray(0x9800)
    for at, mark in marks:
        image[at : at + len(mark)] = mark
    return bytes(image)


def _tar() -> bytes:
    header = bytearray(512)
    header[:5] = b"a.txt"
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136], header[136:148], header[156:157], header[257:265] = b"00000000000\0", b"00000000000\0", b"0", b"ustar\00000"
    header[148:156] = b"%06o\0 " % (sum(header) + 8 * 32)
    return bytes(header) + bytes(1024)


def _ftyp(brand: bytes, *more: bytes) -> bytes:
    brands = b"".join(more)
    return struct.pack(">I", 16 + len(brands)) + b"ftyp" + brand + bytes(4) + brands + bytes(32)


_MSI = bytes.fromhex("84100c0000000000c000000000000046")
_MAIL = b"Received: from a by b\r\nFrom: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nbody\r\n"
_FLAT = '<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:mimetype="application/vnd.oasis.opendocument.{}"/>'

# Kind → a name that fits and its bytes.
SAMPLES: dict[Kind, tuple[str, bytes]] = {
    Kind.PDF: ("a.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"),
    **{kind: (f"a.{kind}", office(kind)) for kind in _CONTENT_TYPES},
    Kind.OOXML_ENCRYPTED: ("a.xlsx", compound("EncryptionInfo", "EncryptedPackage")),
    Kind.FLAT_OPC: ("a.xml", b'<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"/>'),
    Kind.WORD2003XML: ("a.xml", b'<?xml version="1.0"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"/>'),
    Kind.EXCEL2003XML: ("a.xml", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'),
    Kind.ODT: ("a.odt", opendocument("text")),
    Kind.ODS: ("a.ods", opendocument("spreadsheet")),
    Kind.ODP: ("a.odp", opendocument("presentation")),
    Kind.ODG: ("a.odg", opendocument("graphics")),
    Kind.ODF: ("a.odf", opendocument("formula")),
    Kind.FODT: ("a.fodt", _FLAT.format("text").encode()),
    Kind.FODS: ("a.fods", _FLAT.format("spreadsheet").encode()),
    Kind.FODP: ("a.fodp", _FLAT.format("presentation").encode()),
    Kind.EPUB: ("a.epub", archive({"mimetype": b"application/epub+zip"}, packed=False)),
    Kind.DOC: ("a.doc", compound("WordDocument", "1Table")),
    Kind.XLS: ("a.xls", compound("Workbook")),
    Kind.PPT: ("a.ppt", compound("PowerPoint Document", "Current User")),
    Kind.VSD: ("a.vsd", compound("VisioDocument")),
    Kind.PUB: ("a.pub", compound("Quill", "Contents")),
    Kind.MPP: ("a.mpp", compound("Props14")),
    Kind.MSI: ("a.msi", compound("\u4840\u3f7f", class_id=_MSI)),
    Kind.ONE: ("a.one", bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(64)),
    Kind.ACCDB: ("a.accdb", b"\x00\x01\x00\x00Standard ACE DB\x00" + bytes(64)),
    Kind.RTF: ("a.rtf", rb"{\rtf1\ansi hello}"),
    Kind.MSG: ("a.msg", compound("__properties_version1.0", "__substg1.0_0037001F")),
    Kind.TNEF: ("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(16)),
    Kind.EML: ("a.eml", _MAIL),
    Kind.MBOX: ("a.mbox", b"From a Mon Jan  1 00:00:00 2026\n" + _MAIL.replace(b"\r\n", b"\n") * 1 + b"\nFrom b x\nFrom: b\n"),
    Kind.CFB: ("a.ole", compound("Something")),
    Kind.JPEG: ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"),
    Kind.PNG: ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    Kind.GIF: ("a.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
    Kind.BMP: ("a.bmp", b"BM" + bytes(12) + struct.pack("<I", 40) + bytes(36)),
    Kind.TIFF: ("a.tif", b"II*\x00\x08\x00\x00\x00"),
    Kind.WEBP: ("a.webp", b"RIFF\x24\x00\x00\x00WEBPVP8 "),
    Kind.HEIC: ("a.heic", _ftyp(b"heic", b"mif1", b"heic")),
    Kind.AVIF: ("a.avif", _ftyp(b"avif", b"avif", b"mif1")),
    Kind.JP2: ("a.jp2", b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(8)),
    Kind.ICO: ("a.ico", b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00" + struct.pack("<II", 40, 22) + bytes(40)),
    Kind.SVG: ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
    Kind.EMF: ("a.emf", b"\x01\x00\x00\x00" + bytes(36) + b" EMF" + bytes(44)),
    Kind.WMF: ("a.wmf", b"\xd7\xcd\xc6\x9a" + bytes(18)),
    Kind.EPS: ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    Kind.PSD: ("a.psd", b"8BPS\x00\x01" + bytes(20)),
    Kind.ZIP: ("a.zip", archive({"a.txt": b"hello"})),
    Kind.SEVENZIP: ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24)),
    Kind.RAR: ("a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(8)),
    Kind.LZH: ("a.lzh", b"\x20\x00-lh5-" + bytes(13) + b"\x00" + bytes(20)),
    Kind.TAR: ("a.tar", _tar()),
    Kind.GZ: ("a.gz", b"\x1f\x8b\x08\x00" + bytes(16)),
    Kind.BZ2: ("a.bz2", b"BZh91AY&SY" + bytes(8)),
    Kind.XZ: ("a.xz", b"\xfd7zXZ\x00" + bytes(8)),
    Kind.ZST: ("a.zst", b"\x28\xb5\x2f\xfd" + bytes(8)),
    Kind.LZ4: ("a.lz4", b"\x04\x22\x4d\x18" + bytes(8)),
    Kind.COMPRESS: ("a.z", b"\x1f\x9d\x90" + bytes(8)),
    Kind.CAB: ("a.cab", b"MSCF\x00\x00\x00\x00" + bytes(32)),
    Kind.CPIO: ("a.cpio", b"070701" + b"0" * 104 + b"TRAILER!!!\x00"),
    Kind.AR: ("a.ar", b"!<arch>\n"),
    Kind.ARJ: ("a.arj", b"\x60\xea\x2b\x00\x22\x0b\x01\x0b" + bytes(40)),
    Kind.ISO: ("a.iso", _iso((0x8000, b"\x01CD001\x01"))),
    Kind.VHD: ("a.vhd", b"conectix" + bytes(504)),
    Kind.VHDX: ("a.vhdx", b"vhdxfile" + bytes(504)),
    Kind.WIM: ("a.wim", b"MSWIM\x00\x00\x00" + bytes(200)),
    Kind.DMG: ("a.dmg", bytes(1024) + b"koly" + bytes(508)),
    Kind.HTML: ("a.html", b"<!DOCTYPE html><html><body>hello</body></html>"),
    Kind.MHT: ("a.mht", b"From: <Saved by a browser>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x--\r\n"),
    Kind.XML: ("a.xml", '<?xml version="1.0"?><工事><件名>x</件名></工事>'.encode()),
    Kind.JSON: ("a.json", b'{"a": [1, 2]}'),
    Kind.CSV: ("a.csv", "氏名,年齢\r\n山田,30\r\n".encode("cp932")),
    Kind.TEXT: ("a.txt", "こんにちは。\r\n".encode("cp932")),
    Kind.ICS: ("a.ics", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"),
    Kind.VCF: ("a.vcf", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nEND:VCARD\r\n"),
    Kind.SLK: ("a.slk", b"ID;PWXL;N;E\r\nC;X1;Y1;K0\r\nE\r\n"),
    Kind.JTD: ("a.jtd", compound("DocumentText", "\x04JSRV_SegmentInformation")),
    Kind.JAW: ("a.jaw", b"DOC" + bytes(5) + b" " * 8 + bytes(240)),
    Kind.JHD: ("a.jhd", compound("\x04JSRV_SegmentInformation", "Figure")),
    Kind.XDW: ("a.xdw", bytes.fromhex("600e82010a800300c013830401") + bytes(32)),
    Kind.XBD: ("a.xbd", bytes.fromhex("600e82010a800300c014830401") + bytes(32)),
    Kind.DWG: ("a.dwg", b"AC1032\x00\x00\x00\x00" + bytes(32)),
    Kind.DXF: ("a.dxf", b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n  0\r\nENDSEC\r\n  0\r\nEOF\r\n"),
    Kind.JWW: ("a.jww", b"JwwData.\x58\x02\x00\x00" + bytes(32)),
    Kind.SFC: ("a.sfc", b"ISO-10303-21;\r\nHEADER;\r\nFILE_DESCRIPTION(('SCADEC level2 feature_mode'),'2;1');\r\nENDSEC;\r\n"),
    Kind.P21: ("a.p21", b"ISO-10303-21;\r\nHEADER;\r\nFILE_DESCRIPTION(('SCADEC level2 ap202_mode'),'2;1');\r\nENDSEC;\r\n"),
    Kind.SHP: ("a.shp", shp(POINT)),
    Kind.SHX: ("a.shx", shx(POINT)),
    Kind.DBF: ("a.dbf", dbf()),
    Kind.ATC: ("a.atc", b"\x01\x02\x03\x04_AttacheCaseData" + bytes(32)),
    Kind.PE: ("a.exe", b"MZ\x90\x00\x03\x00"),
    Kind.ELF: ("a.elf", b"\x7fELF\x02\x01\x01\x00" + bytes(8)),
    Kind.MACHO: ("a.bin", b"\xcf\xfa\xed\xfe\x07\x00\x00\x01"),
    Kind.CLASS: ("A.class", b"\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x10"),
    Kind.JAR: ("a.jar", archive({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "A.class": b"\xca\xfe\xba\xbe"})),
    Kind.APK: ("a.apk", archive({"AndroidManifest.xml": b"\x03\x00", "classes.dex": b"dex\n035"})),
    Kind.SCRIPT: ("a.vbs", b'Set shell = CreateObject("WScript.Shell")\r\n'),
    Kind.LNK: ("a.lnk", bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(56)),
    Kind.URL: ("a.url", b"[InternetShortcut]\r\nURL=https://example.jp/\r\n"),
    Kind.CHM: ("a.chm", b"ITSF\x03\x00\x00\x00" + bytes(32)),
    Kind.FONT: ("a.ttf", b"\x00\x01\x00\x00\x00\x0c" + bytes(32)),
    Kind.AUDIO: ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt "),
    Kind.VIDEO: ("a.mp4", _ftyp(b"isom", b"mp41")),
    Kind.EMPTY: ("a.txt", b""),
    Kind.UNKNOWN: ("a.dat", bytes(range(256))),
}
