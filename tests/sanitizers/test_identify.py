"""The true kind of bytes, whatever they are called; what may never cross; what a name contradicts."""

from __future__ import annotations

import struct

import pytest

from sanitizers.identify import forbidden, identify, mismatch
from sanitizers.model import Kind
from sanitizers.source import Source
from tests.build import corpus, kinds


def kind_of(data: bytes, name: str = "a.dat") -> Kind:
    return identify(Source(data), name)


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(kinds.SAMPLES) == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_sample_is_what_it_is(kind: Kind) -> None:
    name, data = kinds.SAMPLES[kind]
    assert kind_of(data, name) is kind


# Kinds that only a name tells from plain text or from a sister.
BY_NAME = {Kind.CSV, Kind.SCRIPT, Kind.EMPTY}


@pytest.mark.parametrize("kind", sorted(set(Kind) - BY_NAME))
@pytest.mark.parametrize("name", ["a.docx", "a", "図面.jpg"])
def test_the_name_changes_nothing(kind: Kind, name: str) -> None:
    assert kind_of(kinds.SAMPLES[kind][1], name) is kind


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.EMPTY, Kind.UNKNOWN}))
def test_a_sample_cut_short_anywhere_never_fails(kind: Kind) -> None:
    data = kinds.SAMPLES[kind][1]
    for size in sorted({*range(min(len(data), 96)), *range(0, len(data), 509)}):
        assert kind_of(data[:size]) in Kind


# --- containers -------------------------------------------------------------------------------------------------------------------


def test_an_embedded_document_does_not_make_its_host_what_it_is() -> None:
    assert kind_of(kinds.compound("Workbook", nested=("WordDocument",))) is Kind.XLS
    assert kind_of(kinds.compound("__properties_version1.0", nested=("WordDocument", "Workbook"))) is Kind.MSG


def test_a_directory_beyond_the_sectors_of_the_header_is_found() -> None:
    """Above 7 MB the directory may lie where only the DIFAT chain leads."""
    entries = (*tuple(f"stream {number:04}" for number in range(8)), "PowerPoint Document")
    data = kinds.compound(*entries, padding_sectors=15_000)
    assert kind_of(data) is Kind.PPT


def test_loops_in_a_compound_file_end() -> None:
    data = bytearray(kinds.compound("WordDocument"))
    fat = 512 + 512  # one directory sector, then the FAT
    struct.pack_into("<I", data, fat, 0)  # the directory's chain leads back to itself
    struct.pack_into("<II", data, 512 + 128 + 68, 1, 1)  # and so do the siblings
    assert kind_of(bytes(data)) is Kind.DOC


@pytest.mark.parametrize(
    ("place", "value"),
    [(68, 0x00FF_FFFF), (48, 0x00FF_FFFF), (76, 0x00FF_FFFF), (76, 0xFFFF_FFFF), (30, 11), (30, 12)],
    ids=["no more tables", "no directory", "a table behind the end", "no table", "sectors of another size", "larger sectors"],
)
def test_a_compound_file_that_leads_nowhere_is_still_one(place: int, value: int) -> None:
    """What its names would say is not told, or only as far as they can be read."""
    data = bytearray(kinds.compound(*(f"stream {number}" for number in range(8)), "WordDocument"))
    struct.pack_into("<I" if place > 30 else "<H", data, place, value)
    assert kind_of(bytes(data)) is (Kind.DOC if place == 68 else Kind.CFB)


def test_office_by_its_usual_places_when_the_types_are_broken() -> None:
    assert kind_of(kinds.archive({"[Content_Types].xml": b"\x00broken", "word/document.xml": b"<x/>"})) is Kind.DOCX
    assert kind_of(kinds.archive({"[CONTENT_TYPES].XML": b"", "xl/workbook.xml": b"<x/>"})) is Kind.XLSX
    wide = '<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>'.encode("utf-16")
    assert kind_of(kinds.archive({"[Content_Types].xml": wide})) is Kind.XLSM


def test_a_cut_package_is_still_the_package() -> None:
    whole = kinds.office(Kind.XLSM)
    assert kind_of(whole[: whole.index(b"PK\x01\x02")]) is Kind.XLSM


def test_an_opendocument_without_mimetype_is_told_by_its_manifest() -> None:
    manifest = b'<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
    assert kind_of(kinds.archive({"META-INF/manifest.xml": manifest, "content.xml": b"<x/>"})) is Kind.ODT


def test_a_manifest_that_says_nothing_of_the_root_makes_an_archive() -> None:
    manifest = b'<manifest:file-entry manifest:full-path="a/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
    assert kind_of(kinds.archive({"META-INF/manifest.xml": manifest, "content.xml": b"<x/>"})) is Kind.ZIP
    assert kind_of(kinds.archive({"META-INF/manifest.xml": b"", "content.xml": b"<x/>"})) is Kind.ZIP


def _with_locator(where: int) -> bytes:
    """A ZIP file of many members that leaves the place of its directory to a record of 64 bits, which is said to stand here."""
    data = bytearray(kinds.office(Kind.DOCX))
    end = data.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<I", data, end + 16)[0]
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, 0, start)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end if where < 0 else where, 1)
    struct.pack_into("<I", data, end + 16, 0xFFFF_FFFF)
    return bytes(data[:end] + record + locator + data[end:])


@pytest.mark.parametrize("where", [-1, 0, 1 << 40])
def test_a_directory_with_large_numbers_is_found_or_looked_for(where: int) -> None:
    """Where the record is none, the members are read from the front."""
    assert kind_of(_with_locator(where)) is Kind.DOCX


def test_a_member_that_cannot_be_looked_into_says_nothing() -> None:
    whole = kinds.archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"})
    assert kind_of(whole) is Kind.ODT
    directory = whole.index(b"PK\x01\x02")
    elsewhere = bytearray(whole)
    struct.pack_into("<I", elsewhere, directory + 42, 7)            # no record stands there
    assert kind_of(bytes(elsewhere)) is Kind.ZIP
    noise = bytearray(kinds.archive({"mimetype": b"\xff" * 100, "content.xml": b"<x/>"}, packed=False))
    struct.pack_into("<H", noise, 8, 8)                             # said to be deflated, and is none
    assert kind_of(bytes(noise)) is Kind.ZIP


def test_members_without_a_length_of_their_own_end_the_search() -> None:
    """A stream that broke off: the first record says that its length comes later."""
    whole = bytearray(kinds.archive({"a.txt": b"words", "[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"}))
    cut = whole[: whole.index(b"PK\x01\x02")]
    assert kind_of(bytes(cut)) is Kind.DOCX
    struct.pack_into("<H", cut, 6, 8)
    struct.pack_into("<I", cut, 18, 0)
    assert kind_of(bytes(cut)) is Kind.ZIP


SOUND_AND_FILM = {
    "MPEG": (b"\x00\x00\x01\xba\x44" + bytes(200), Kind.VIDEO), "MPEG-TS": ((b"\x47\x40\0\x10" + bytes(184)) * 5, Kind.VIDEO),
    "DV": (b"\x1f\x07\0\x3f" + bytes(100), Kind.VIDEO), "ASF": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(40), Kind.VIDEO),
    "AU": (b".snd\0\0\0\x18\0\0\0\x10\0\0\0\1\0\0\x1f\x40\0\0\0\1" + bytes(30), Kind.AUDIO), "AMR": (b"#!AMR\n" + bytes(40), Kind.AUDIO),
    "module": (bytes(1080) + b"M.K." + bytes(100), Kind.AUDIO), "MIDI": (b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk" + bytes(40), Kind.AUDIO),
    "ARJ": (bytes.fromhex("60ea2c00220b010210000200") + bytes(60), Kind.ARJ), "old ar": (b"<ar>" + bytes(40), Kind.AR),
    "old DWG": (b"AC1.40\0\0" + bytes(100), Kind.DWG), "boot sector": (b"\xeb\x3c\x90" + bytes(509), Kind.PE),
    "old cpio": (struct.pack("<H", 0o070707) + bytes(40), Kind.CPIO),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND_AND_FILM)
def test_what_only_libmagic_knows(name: str) -> None:
    data, kind = SOUND_AND_FILM[name]
    assert kind_of(data) is kind


def test_an_app_package_installs() -> None:
    data = kinds.archive({"[Content_Types].xml": b"<Types/>", "AppxManifest.xml": b"<Package/>"})
    assert kind_of(data) is Kind.MSI
    assert forbidden(kind_of(data), "a.zip", ())


# --- polyglots: what stands first is what it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "kind"), [(b"MZ", Kind.PE), (b"GIF89a", Kind.GIF), (b"\xff\xd8\xff\xe0", Kind.JPEG), (b"PK\x03\x04", Kind.ZIP)]
)
def test_the_outer_signature_wins(first: bytes, kind: Kind) -> None:
    pdf = kinds.SAMPLES[Kind.PDF][1]
    assert kind_of(first + bytes(64) + pdf) is kind
    assert kind_of(first + bytes(64) + kinds.SAMPLES[Kind.HTML][1], "a.html") is kind


def test_a_zip_behind_a_program_is_a_program() -> None:
    assert kind_of(b"MZ" + bytes(200) + kinds.SAMPLES[Kind.ZIP][1], "a.zip") is Kind.PE


def test_a_pdf_may_begin_within_1024_bytes() -> None:
    pdf = kinds.SAMPLES[Kind.PDF][1]
    assert kind_of(b"\r\n" * 500 + pdf) is Kind.PDF
    assert kind_of(b"<html>" + b" " * 1000 + pdf, "a.html") is Kind.PDF
    assert kind_of(b" " * 1100 + pdf) is not Kind.PDF


def test_text_that_speaks_of_pdf_is_text() -> None:
    assert kind_of(b"The first line of a PDF is %PDF-1.7, then come the objects.\n", "a.txt") is Kind.TEXT


def test_a_disk_image_under_a_prefix_is_a_disk_image() -> None:
    image = bytearray(kinds.SAMPLES[Kind.ISO][1])
    image[:20] = b"<html><body></body><"
    assert kind_of(bytes(image), "a.html") is Kind.ISO
    for mark in (b"BEA01", b"NSR02"):
        assert kind_of(bytes(0x8001) + mark + bytes(2048)) is Kind.ISO


# --- text -----------------------------------------------------------------------------------------------------------------------------

JAPANESE = "表示能力のソフト、①㈱髙～－ｱｲｳ\r\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("name", "kind"), [("a.txt", Kind.TEXT), ("a.csv", Kind.CSV), ("a.tsv", Kind.CSV), ("a", Kind.TEXT), ("a.pdf", Kind.TEXT)])
def test_japanese_text_in_its_encodings(encoding: str, name: str, kind: Kind) -> None:
    text = JAPANESE if not encoding.startswith("utf-16-") else "abc 123\r\n" * 5 + "日本"
    assert kind_of(text.encode(encoding), name) is kind


def test_iso_2022_jp_is_text() -> None:
    assert kind_of("今日は会議です。".encode("iso2022_jp"), "a.txt") is Kind.TEXT


def test_text_longer_than_the_head_is_not_cut_inside_a_character() -> None:
    assert kind_of(("あ" * 30 + "\r\n").encode("cp932") * 2000, "a.txt") is Kind.TEXT


@pytest.mark.parametrize(
    "data", [b"AC100V\r\n", b"070701,5\r\n", b"ID3,name\r\n", b"OTTO\r\n", b"ID;Price;Name\r\n1;2;3\r\n", b"BM 2026\r\n", b"Dear all: hello\n"]
)
@pytest.mark.parametrize(("name", "kind"), [("a.csv", Kind.CSV), ("a.txt", Kind.TEXT)])
def test_text_that_begins_like_a_signature_is_text(data: bytes, name: str, kind: Kind) -> None:
    assert kind_of(data, name) is kind


def test_binary_is_never_text() -> None:
    assert kind_of(bytes(range(256)) * 8, "a.txt") is Kind.UNKNOWN
    assert kind_of(b"plain words\n" * 4 + b"\x00", "a.dat") is Kind.UNKNOWN
    assert kind_of(b"plain words\n" * 10_000 + bytes(20_000), "a.txt") is Kind.UNKNOWN
    assert kind_of(b"\xff\xfe" + bytes(range(255, 1, -1)) * 20, "a.txt") is Kind.UNKNOWN


def test_text_may_hold_a_few_control_characters_where_its_name_says_text() -> None:
    assert kind_of(b"page one\x1b[31m red \x07\x00\n", "a.log") is Kind.TEXT
    assert kind_of("表示\r\n\x1a".encode("cp932"), "a.dat") is Kind.TEXT  # Ctrl-Z at the end of a host computer's file


def test_json_by_name_or_because_it_parses() -> None:
    assert kind_of(b'{"a": tru', "a.json") is Kind.JSON
    assert kind_of(b'[{"a": 1}]', "a") is Kind.JSON
    assert kind_of(b'{"a": tru', "a") is Kind.TEXT
    assert kind_of(b'{"a": 1}', "a.txt") is Kind.TEXT
    assert kind_of(b"[" * 60_000, "a") is Kind.TEXT
    long = b'{"a": [' + b"1, " * 200_000
    assert kind_of(long + b"1]}", "a") is Kind.JSON     # too long to be parsed for that
    assert kind_of(b"[" + b"1, " * 200_000 + b"1]", "a") is Kind.TEXT


def test_a_page_by_its_name_or_its_first_words() -> None:
    assert kind_of(b"just words", "a.html") is Kind.HTML
    assert kind_of("\ufeff  \n<p>x".encode(), "a") is Kind.HTML
    assert kind_of(b"just words", "a.txt") is Kind.TEXT


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?>\n<!-- note -->\n<gml:Map xmlns:gml="x"/>', Kind.XML),
        ('<?xml version="1.0"?><!DOCTYPE svg PUBLIC "a" "b"><svg/>', Kind.SVG),
        ('<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>', Kind.SVG),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', Kind.HTML),
        ("<!-- c --><!doctype HTML><p>x", Kind.HTML),
        ("<script>alert(1)</script>", Kind.HTML),
        ('<table border="1"><tr><td>x', Kind.HTML),
        ("<rss/>", Kind.XML),
        ('<?xml version="1.0"?><libraryDescription/>', Kind.URL),
        ('<?xml version="1.0"?><searchConnectorDescription xmlns="x"/>', Kind.URL),
        ('<?xml version="1.0"?><persistedQuery version="1.0"/>', Kind.URL),
        ('<?xml version="1.0"?><PCSettings/>', Kind.URL),
        ('<?xml version="1.0"?><MMC_ConsoleFile/>', Kind.SCRIPT),
        ('<?xml version="1.0"?><scriptlet><script/></scriptlet>', Kind.SCRIPT),
        ('<job id="a"><script language="VBScript"/></job>', Kind.SCRIPT),
        ('<?xml version="1.0"?><xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>', Kind.UNKNOWN),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_markup_by_its_root(text: str, kind: Kind, encoding: str) -> None:
    assert kind_of(text.encode(encoding)) is kind


def test_text_that_begins_with_a_bracket_stays_text_under_a_text_name() -> None:
    assert kind_of("<お知らせ> 会議は10時から".encode(), "a.txt") is Kind.TEXT
    assert kind_of(b"<Notice> the meeting is at ten", "a.md") is Kind.TEXT
    assert kind_of(b"<script>x</script>", "a.txt") is Kind.HTML


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"#!/bin/sh\necho\n", Kind.SCRIPT),
        (b"@echo off\r\ndel x\r\n", Kind.SCRIPT),
        (b"<%@ page language=java %>", Kind.SCRIPT),
        (b"<?php echo 1;", Kind.SCRIPT),
        (b'var s = new ActiveXObject("WScript.Shell");\n', Kind.SCRIPT),
        (b"$c = New-Object Net.WebClient\n", Kind.SCRIPT),
        (b"#@~^AAAA==encoded", Kind.SCRIPT),
        (b"WScript.Shell is a COM class. CreateObject makes one.\n", Kind.TEXT),
        ('マクロで CreateObject("Excel.Application") を使う方法\n'.encode(), Kind.TEXT),
        (b"; comment\r\n[InternetShortcut]\r\nURL=x\r\n", Kind.URL),
        (b"[.ShellClassInfo]\r\nIconFile=\\\\a\\b\r\n", Kind.URL),
        (b"[Shell]\r\nCommand=2\r\nIconFile=\\\\a\\b\r\n", Kind.URL),
        (b"[autorun]\r\nopen=a.exe\r\n", Kind.URL),
        (b"WEB\r\n1\r\nhttp://a/b\r\n", Kind.URL),
        (b"screen mode id:i:2\r\nfull address:s:a\r\n", Kind.URL),
        (b'TABLE\r\n0,1\r\n"EXCEL"\r\n', Kind.UNKNOWN),
    ],
)
def test_scripts_and_shortcuts_under_a_harmless_name(data: bytes, kind: Kind) -> None:
    assert kind_of(data, "a.txt") is kind


def test_a_script_by_name_is_a_script() -> None:
    for name in ("a.js", "A.PS1", "a.bat", "a.hta", "a.py"):
        assert kind_of(b"plain words\n", name) is Kind.SCRIPT


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.txt", "a"])
def test_sylk_under_any_name(name: str) -> None:
    assert kind_of(b"ID;P\r\n" + b"1;1\r\n" * 20_000 + b"C;X1;Y1;K0;EEXEC()\r\n", name) is Kind.SLK


def test_mail_and_web_archive() -> None:
    mail = kinds.SAMPLES[Kind.EML][1]
    assert kind_of(b"\r\n" + mail, "a.txt") is Kind.EML
    assert kind_of(b"Subject: x\r\n\r\nbody", "a.eml") is Kind.EML
    assert kind_of(b"Subject: x\r\nFrom: y\r\n\r\nbody", "memo.txt") is Kind.TEXT
    assert kind_of(b"Subject: x\r\nFrom: y\r\n\r\nbody", "memo") is Kind.EML
    assert kind_of(b"Note: x\r\nItem: y\r\n\r\nbody", "memo") is Kind.TEXT


@pytest.mark.parametrize("data", [b"{\\rtf1 x}", b"{\\rt x}", b"\r\n {\\RTF1 x}", b"{\\rtf\x00\x01"])
def test_rtf_as_tolerantly_as_word_reads_it(data: bytes) -> None:
    assert kind_of(data, "a.doc") is Kind.RTF


# --- what may never cross ---------------------------------------------------------------------------------------------------------------

PROGRAMS = {
    Kind.PE, Kind.ELF, Kind.MACHO, Kind.CLASS, Kind.JAR, Kind.APK, Kind.SCRIPT, Kind.MSI, Kind.XLAM, Kind.PPAM, Kind.LNK, Kind.URL, Kind.CHM,
    Kind.ONE, Kind.SLK, Kind.ISO, Kind.VHD, Kind.VHDX, Kind.WIM, Kind.DMG,
}  # fmt: skip


@pytest.mark.parametrize("kind", list(Kind))
def test_forbidden_by_content(kind: Kind) -> None:
    assert bool(forbidden(kind, "harmless.pdf", ())) is (kind in PROGRAMS)


BAD_ENDINGS = (
    "exe dll scr com cpl msi msp bat cmd ps1 vbs vbe js jse wsf wsh hta jar lnk url pif reg inf scf library-ms searchConnector-ms search-ms "
    "settingcontent-ms msc rdp iqy slk xll xla xlam ppam one onepkg chm iso img vhd vhdx udf"
).split()


@pytest.mark.parametrize("ending", BAD_ENDINGS)
def test_forbidden_by_name_whatever_the_content(ending: str) -> None:
    for name in (f"報告.{ending}", f"a.pdf.{ending.upper()}", f"folder/a.{ending}", f"folder\\a.{ending}"):
        assert forbidden(Kind.TEXT, name, ()), name


@pytest.mark.parametrize(
    "name",
    [
        "a.exe.", "a.exe . .", "a.exe\u3000", "a．ｅｘｅ", "a.e\u200bxe", "a.\u202eexe", "a.ex\u00ade", "a.exe\x00", "a.txt:b.exe", "a.exe::$DATA",
        "a.ex\ufe00e", "desktop.ini", "x/Desktop.INI", "x\\autorun.inf", "a.txt.{3050f4d8-98B5-11CF-BB82-00AA00BDCE0B}", "C:\\x\\a.lnk",
    ],
)  # fmt: skip
def test_a_forbidden_name_in_disguise(name: str) -> None:
    assert forbidden(Kind.TEXT, name, ())


@pytest.mark.parametrize("name", ["a.pdf", "a.exe.pdf", "a.html", "a.svg", "報告（第1.2版）.docx", "a", "exe", "12:30の記録.txt", "a.com.txt", ".txt"])
def test_an_ordinary_name_is_not_forbidden(name: str) -> None:
    assert forbidden(Kind.TEXT, name, ()) is None


def test_policy_adds_extensions() -> None:
    assert forbidden(Kind.PDF, "a.pdf", ()) is None
    assert forbidden(Kind.PDF, "a.PDF", ("pdf",))
    assert forbidden(Kind.PDF, "a.pdf", (".PDF",))


# --- names that contradict ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.EMPTY, Kind.UNKNOWN}))
def test_a_sample_fits_its_own_name(kind: Kind) -> None:
    assert mismatch(kind, kinds.SAMPLES[kind][0]) is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.PDF, "a.docx"), (Kind.DOCX, "a.docm"), (Kind.DOCM, "a.docx"), (Kind.PE, "a.pdf"), (Kind.ZIP, "a.docx"), (Kind.TEXT, "a.pdf"),
        (Kind.HTML, "a.doc"), (Kind.FLAT_OPC, "a.docx"), (Kind.RTF, "a.docx"), (Kind.PNG, "a.jpg"), (Kind.PDF, "a.jpg"), (Kind.MSG, "a.doc"),
        (Kind.UNKNOWN, "a.pdf"), (Kind.RAR, "a.zip"), (Kind.XLSX, "a.xls"), (Kind.PDF, "a．ｔｘｔ"), (Kind.OOXML_ENCRYPTED, "a.doc"),
    ],
)  # fmt: skip
def test_a_name_that_contradicts(kind: Kind, name: str) -> None:
    assert mismatch(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.PDF, "a"), (Kind.PDF, "a.2026"), (Kind.RTF, "a.doc"), (Kind.CSV, "a.txt"), (Kind.HTML, "a.xml"), (Kind.TEXT, "a.json"),
        (Kind.JPEG, "a.JPEG"), (Kind.OOXML_ENCRYPTED, "a.xlsm"), (Kind.GZ, "a.tgz"), (Kind.WORD2003XML, "a.xml"), (Kind.JTD, "a.jtdc"),
        (Kind.TIFF, "a.tiff"), (Kind.EML, "a.txt"), (Kind.DOCM, "a.docm"),
    ],
)  # fmt: skip
def test_a_name_that_agrees_or_says_nothing(kind: Kind, name: str) -> None:
    assert mismatch(kind, name) is None


# --- real files -----------------------------------------------------------------------------------------------------------------------------

# The manifest's coarser words, and where we know better: macro and template kinds, office documents in one XML file, case-blind streams.
SAME = {
    "heif": {"heic", "avif"}, "docuworks": {"xdw", "xbd"}, "gzip": {"gz"}, "bzip2": {"bz2"}, "compress": {"z"}, "text8": {"text"},
    "opc": {"xlsx"}, "binary": {"unknown", "xls", "jaw"}, "ole2-other": {"cfb", "jtd", "xls"}, "text": {"text", "slk"},
    "docx": {"docx", "docm", "dotx", "dotm"}, "xlsx": {"xlsx", "xlsm", "xltx", "xltm", "xlam"}, "pptx": {"pptx", "pptm", "ppsx"},
    "xml": {"xml", "fodt", "fods", "word2003xml", "excel2003xml"}, "svg": {"svg", "html"},
}  # fmt: skip


ASK = """
import json, pathlib, sys
from sanitizers.identify import identify
from sanitizers.source import Source
top = pathlib.Path(sys.argv[1])
files = (path for path in top.rglob("*") if path.is_file())
print(json.dumps({str(path.relative_to(top)): identify(Source(path.read_bytes()), path.name) for path in files}))
"""


@pytest.mark.corpus
@pytest.mark.skipif(not corpus.manifest(), reason="the shared corpus is absent")
def test_the_corpus_is_what_its_manifest_says() -> None:
    kinds_seen = corpus.ask(ASK)
    said = {row["path"]: row["detected_format"] for row in corpus.manifest()}
    wrong = [(path, said[path], kinds_seen[path]) for path in said if kinds_seen[path] not in SAME.get(said[path], {said[path]})]
    assert wrong == []
