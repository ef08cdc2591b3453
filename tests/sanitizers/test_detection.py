"""Test marks in every format, depth and encoding: found by the rules that ship, and in nothing that is delivered, as other programs open it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import quopri
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from email import message_from_bytes
from io import BytesIO
from pathlib import Path

import libarchive
import olefile
import pikepdf
import pytest
from pikepdf import Dictionary, Name, String

from sanitizers.context import Outcome
from sanitizers.engine import Engine
from sanitizers.model import Job, LimitExceeded, Limits, Reason, Severity, Verdict
from sanitizers.scan import compile_rules
from sanitizers.source import Source
from tests.build import archive, cfb, kinds, message, ooxml, outlook, pdf, rtf, xls

RULES = Path(__file__).resolve().parents[2] / "rules"
# Put together here, so that this file is nothing to a scanner. The second is known only as it stands: its encodings must be undone.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
MARK = b"sekisho-detection" + b"-mark-5d1e"
MARK_RULE = f"""
rule Test_Mark {{ meta: severity = "high" strings: $a = "{MARK.decode()}" ascii wide $b = "{MARK.decode()}" base64
condition: (kind != "eml" or where != "") and any of them }}
"""
FILES = {path.name: path.read_text("utf-8") for path in RULES.iterdir() if path.suffix == ".yar" or path.name == "catalog.toml"}
SCANNER = compile_rules({**FILES, "mark.yar": MARK_RULE})
MARKS = {"eicar": EICAR, "mark": MARK}
DEPTH = Limits().depth

Build = Callable[[bytes], bytes]


def run(name: str, data: bytes) -> Outcome:
    return Engine(Job(name=name), SCANNER, len(data)).run(Source(data))


# What holds a mark in itself, name → bytes of a file with the mark in it.


def _text(mark: bytes) -> bytes:
    """Long enough to be deflated: of a few letters alone deflate would only make a copy, in which the raw bytes show the mark."""
    return "会議の資料です。\r\n".encode() * 20 + mark + b"\r\n"


def _packed(pack: ooxml.Pack) -> bytes:
    """With every member deflated, so that the raw bytes show nothing."""
    return kinds.archive(ooxml.members(pack.bytes()))


def _docx_object(mark: bytes) -> bytes:
    holder = cfb.compound({"\x01Ole10Native": struct.pack("<I", len(mark)) + mark})
    return _packed(ooxml.docx().attach("word/document.xml", "rId9", "oleObject", "word/embeddings/oleObject1.bin", holder))


def _docx_text(mark: bytes) -> bytes:
    return _packed(ooxml.docx(ooxml.paragraph(mark.decode())))


def _docx_stray_member(mark: bytes) -> bytes:
    return _packed(ooxml.docx().part("word/stray.bin", mark, "application/octet-stream"))


def _docx_macro(mark: bytes) -> bytes:
    source = b'\x01\x00\xb0Attribute VB_Name = "Module1"\r\n' + mark
    return _packed(ooxml.docx().attach("word/document.xml", "rId9", f"{ooxml.MS}/vbaProject", "word/vbaProject.bin", source))


def _xlsx_text(mark: bytes) -> bytes:
    return _packed(ooxml.xlsx(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{mark.decode()}</t></is></c></row>'))


def _xlsx_object(mark: bytes) -> bytes:
    holder = cfb.compound({"\x01Ole10Native": struct.pack("<I", len(mark)) + mark})
    return _packed(ooxml.xlsx().attach("xl/worksheets/sheet1.xml", "rId9", "oleObject", "xl/embeddings/oleObject1.bin", holder))


def _pdf(change: Callable[[pikepdf.Pdf, bytes], None]) -> Build:
    def build(mark: bytes) -> bytes:
        document = pdf.clean()
        change(document, mark)
        return pdf.saved(document, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)

    return build


def _attach(document: pikepdf.Pdf, mark: bytes) -> None:
    document.attachments["a.txt"] = mark


def _script(document: pikepdf.Pdf, mark: bytes) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=document.make_stream(b"// " + mark))


def _script_string(document: pikepdf.Pdf, mark: bytes) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("// " + mark.decode()))


def _private_data(document: pikepdf.Pdf, mark: bytes) -> None:
    document.Root.PieceInfo = Dictionary(X=Dictionary(Private=document.make_stream(mark * 3)))


def _page_content(document: pikepdf.Pdf, mark: bytes) -> None:
    page = document.pages[0].obj
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\n% " + mark + b"\n")


def _page_text(document: pikepdf.Pdf, mark: bytes) -> None:
    page = document.pages[0].obj
    shown = re.sub(rb"([\\()])", rb"\\\1", mark)
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\nBT /F1 8 Tf 72 600 Td (" + shown + b") Tj ET")


def _rtf_object(mark: bytes) -> bytes:
    native = struct.pack("<III", 0x0501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(mark)) + mark
    return rtf.document(b"{\\object\\objemb{\\*\\objdata " + native.hex().encode() + b"}{\\result shown}}")


def _rtf_scattered(mark: bytes) -> bytes:
    digits = mark.hex().encode()
    return rtf.document(b"{\\object\\objemb{\\*\\objdata " + b"\r\n".join(digits[at : at + 6] for at in range(0, len(digits), 6)) + b"}}")


def _rtf_binary(mark: bytes) -> bytes:
    return rtf.document(b"{\\object\\objemb{\\*\\objdata \\bin%d " % len(mark) + mark + b"}}")


def _rtf_text(mark: bytes) -> bytes:
    return rtf.document(re.sub(rb"([\\{}])", rb"\\\1", mark) + b"\\par ")


def _rtf_escaped(mark: bytes) -> bytes:
    return rtf.document(b"".join(b"\\'%02x" % octet for octet in mark) + b"\\par ")


def _xls_text(mark: bytes) -> bytes:
    return cfb.compound({"Workbook": xls.stream(texts=(mark.decode(), "本文"))})


def _xls_stream(mark: bytes) -> bytes:
    return xls.workbook(streams={"MBD00000001/\x01Ole10Native": struct.pack("<I", len(mark)) + mark})


def _doc(mark: bytes) -> bytes:
    return cfb.compound({"WordDocument": bytes(600), "ObjectPool/_1/\x01Ole10Native": struct.pack("<I", len(mark)) + mark})


def _html_base64(mark: bytes) -> bytes:
    return b'<html><body><p>x</p><a href="data:text/plain;base64,' + base64.b64encode(mark) + b'">a</a></body></html>'


def _html_plain(mark: bytes) -> bytes:
    return b"<html><body><p>" + mark + b"</p></body></html>"


def _html_wide(mark: bytes) -> bytes:
    return b"\xff\xfe" + ("<html><body><p>" + mark.decode() + "</p></body></html>").encode("utf-16-le")


def _mail_part(encoding: bytes, encode: Build) -> Build:
    def build(mark: bytes) -> bytes:
        head = (b'Content-Type: text/plain; name="a.txt"', b'Content-Disposition: attachment; filename="a.txt"', b"Content-Transfer-Encoding: " + encoding)
        return message.parts_mail(message.text(), message.part(encode(_text(mark)), *head))

    return build


def _mail_body(encoding: bytes, encode: Build, kind: bytes = b"text/plain") -> Build:
    def build(mark: bytes) -> bytes:
        fields = b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n"
        return message.mail(encode("本文 ".encode() + mark + b"\r\n"), fields)

    return build


def _uu(data: bytes) -> bytes:
    return b"begin 644 a.txt\r\n" + b"".join(binascii.b2a_uu(data[at : at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(data), 45)) + b"`\r\nend\r\n"


def _mail_uu(mark: bytes) -> bytes:
    return message.mail(b"hello\r\n\r\n" + _uu(_text(mark)), b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n")


def _mail_tnef(mark: bytes) -> bytes:
    item = outlook.tnef({0x37: "件名".encode("cp932"), 0x1000: "本文".encode("cp932")}, ("a.txt", _text(mark)))
    return message.parts_mail(message.text(), message.attachment(item, b"winmail.dat", b"application/ms-tnef"))


def _msg(mark: bytes) -> bytes:
    return outlook.msg({0x37: "件名", 0x1000: "本文"}, files=({0x3707: "a.txt", 0x3701: bytearray(_text(mark))},))


def _msg_body(mark: bytes) -> bytes:
    return outlook.msg({0x37: "件名", 0x1000: "本文 " + mark.decode()})


def _forwarded(mark: bytes) -> bytes:
    inner = message.parts_mail(message.text(), message.attachment(_text(mark), b"a.txt", b"text/plain"), boundary=b"b2")
    return message.parts_mail(message.text(), message.part(inner, b"Content-Type: message/rfc822"))


HOLDERS: dict[str, tuple[str, Build]] = {
    "text": ("a.txt", _text),
    "docx: object": ("a.docx", _docx_object),
    "docx: macro": ("a.docm", _docx_macro),
    "docx: text": ("a.docx", _docx_text),
    "xlsx: text": ("a.xlsx", _xlsx_text),
    "xlsx: object": ("a.xlsx", _xlsx_object),
    "pdf: attachment": ("a.pdf", _pdf(_attach)),
    "pdf: script in Flate": ("a.pdf", _pdf(_script)),
    "pdf: script in an object stream": ("a.pdf", _pdf(_script_string)),
    "pdf: content in Flate": ("a.pdf", _pdf(_page_content)),
    "pdf: text in Flate": ("a.pdf", _pdf(_page_text)),
    "rtf: object in hex": ("a.rtf", _rtf_object),
    "rtf: object in lines of hex": ("a.rtf", _rtf_scattered),
    "rtf: object in binary": ("a.rtf", _rtf_binary),
    "rtf: text": ("a.rtf", _rtf_text),
    "rtf: text in escapes": ("a.rtf", _rtf_escaped),
    "xls: text": ("a.xls", _xls_text),
    "xls: object": ("a.xls", _xls_stream),
    "doc: object": ("a.doc", _doc),
    "html: text": ("a.html", _html_plain),
    "html: UTF-16": ("a.html", _html_wide),
    "html: base64": ("a.html", _html_base64),
    "msg: attachment": ("a.msg", _msg),
    "msg: text": ("a.msg", _msg_body),
    "eml: base64": ("a.eml", _mail_part(b"base64", base64.encodebytes)),
    "eml: quoted-printable": ("a.eml", _mail_part(b"quoted-printable", quopri.encodestring)),
    "eml: 8bit": ("a.eml", _mail_part(b"8bit", bytes)),
    "eml: uuencode": ("a.eml", _mail_uu),
    "eml: TNEF": ("a.eml", _mail_tnef),
    "eml: forwarded": ("a.eml", _forwarded),
    "eml: text in 8bit": ("a.eml", _mail_body(b"8bit", bytes)),
    "eml: text in base64": ("a.eml", _mail_body(b"base64", base64.encodebytes)),
    "eml: text in quoted-printable": ("a.eml", _mail_body(b"quoted-printable", quopri.encodestring)),
    "eml: page in base64": ("a.eml", _mail_body(b"base64", base64.encodebytes, b"text/html")),
}

# What no program opens and the rebuild does not read either, with the code by which the report names it.
UNREAD: dict[str, tuple[str, Build, str]] = {
    "docx: stray member": ("a.docx", _docx_stray_member, "ooxml.unreferenced_part"),
    "pdf: private data": ("a.pdf", _pdf(_private_data), "pdf.piece_info"),
}

# What holds files: one level each.
WRAPPERS: dict[str, Callable[[str, bytes], bytes]] = {
    "zip": lambda name, data: kinds.archive({name: data}),
    "7z": lambda name, data: archive.sevenzip({name: data}),
    "lzh": lambda name, data: archive.lzh({name: data}),
    "tar": lambda name, data: archive.tar({name: data}),
    "cab": lambda name, data: archive.cab({name: data}),
    "eml": lambda name, data: message.parts_mail(message.text(), message.attachment(data, name.encode(), b"application/octet-stream")),
    "msg": lambda name, data: outlook.msg({0x37: "件名", 0x1000: "本文"}, files=({0x3707: name, 0x3701: bytearray(data)},)),
}


def wrapped(name: str, data: bytes, around: tuple[str, ...]) -> tuple[str, bytes]:
    for form in around:
        name, data = f"a.{form}", WRAPPERS[form](name, data)
    return name, data


# Tables of letters and digits that only a reader of the whole format puts together again.
UNFOLDED_BY_US_ALONE = ("docx: macro", "eml: TNEF", "eml: uuencode")


# What other programs see in a delivered file.


def shown(data: bytes) -> Iterator[bytes]:
    """The bytes, and all that zipfile, libarchive, pikepdf, olefile, zlib and the standard library's mail parser unfold of them."""
    yield data
    yield data.replace(b"\0", b"")
    yield re.sub(rb"\\([\\(){}])", rb"\1", data)
    for run_ in re.findall(rb"[A-Za-z0-9+/\r\n]{20,}={0,2}", data):
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", run_)
        yield base64.b64decode(letters[: len(letters) & ~3])
    if data.startswith(b"{\\rtf"):
        yield rtf.hidden(data)
    for inner in _unfolded(data):
        yield from shown(inner)


def _unfolded(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as opened:
            yield from map(opened.read, opened.namelist())
    elif data.startswith((b"7z", b"MSCF")) or data[2:5] == b"-lh" or data[257:262] == b"ustar":
        with libarchive.memory_reader(data) as entries:
            yield from [b"".join(entry.get_blocks()) for entry in entries]
    elif data.startswith(b"%PDF"):
        with pikepdf.open(BytesIO(data)) as opened:
            objects = [item for item in opened.objects if isinstance(item, pikepdf.Object)]
            yield b"\n".join(item.unparse(resolved=True) for item in objects if not isinstance(item, pikepdf.Stream))
            yield from [item.read_bytes() for item in objects if isinstance(item, pikepdf.Stream)]
    elif data.startswith(olefile.MAGIC):
        with olefile.OleFileIO(data) as opened:
            yield from [opened.openstream(path).read() for path in opened.listdir()]
    elif re.match(rb"[A-Z][A-Za-z-]+: ", data):
        yield from [part.get_payload(decode=True) for part in message_from_bytes(data).walk() if not part.is_multipart()]
    elif data[:1] == b"\x78":
        yield zlib.decompress(data)


def visible(data: bytes, mark: bytes) -> bool:
    return any(mark in view for view in shown(data))


def prove(outcome: Outcome, mark: bytes, *, in_mail: bool) -> None:
    """A part's report calls it malware. That blocks all around it, except that a mail is delivered without it."""
    malware = [part for part in outcome.report.tree() if part.reason is Reason.MALWARE]
    assert malware, (outcome.report.verdict, outcome.report.reason, [finding.code for finding in outcome.report.findings])
    assert all(part.verdict is Verdict.BLOCKED and part.output is None for part in malware)
    if in_mail:
        assert outcome.content is not None
        assert not visible(outcome.content.bytes(), mark)
    else:
        assert outcome.content is None
        assert outcome.report.reason is Reason.MALWARE


# The text of a mail is the mail itself: with a mark in it, nothing of it is delivered.
LOSES_A_PART = frozenset({f"eml: {how}" for how in ("base64", "quoted-printable", "8bit", "uuencode", "TNEF", "forwarded")})
DEEPEST = ("zip", "7z", "lzh", "cab", "tar", "zip", "7z")
assert len(DEEPEST) == DEPTH - 1


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_mark_is_found_by_itself_and_at_the_bottom_of_archives(holder: str, mark: str) -> None:
    name, build = HOLDERS[holder]
    data = build(MARKS[mark])
    for around in ((), ("zip",), DEEPEST):
        prove(run(*wrapped(name, data, around)), MARKS[mark], in_mail=holder in LOSES_A_PART)


@pytest.mark.parametrize("holder", HOLDERS)
def test_without_its_mark_it_is_no_malware(holder: str) -> None:
    name, build = HOLDERS[holder]
    report = run(name, build(b"sekisho-detection")).report
    assert Reason.MALWARE not in {part.reason for part in report.tree()}
    assert [match for part in report.tree() for match in part.matches if match.severity is Severity.HIGH] == []


@pytest.mark.parametrize("form", WRAPPERS)
@pytest.mark.parametrize("depth", range(1, DEPTH + 1))
def test_a_mark_is_found_at_every_depth_of_one_format(form: str, depth: int) -> None:
    for mark in MARKS.values():
        prove(run(*wrapped("a.txt", _text(mark), (form,) * depth)), mark, in_mail=form == "eml")


@pytest.mark.parametrize("form", WRAPPERS)
def test_what_lies_deeper_than_the_limit_is_not_delivered(form: str) -> None:
    """Nor looked at: it may be found in the raw bytes of what is around it, or not at all."""
    with pytest.raises(LimitExceeded):
        run(*wrapped("a.txt", _text(b""), (form,) * (DEPTH + 1)))
    with contextlib.suppress(LimitExceeded):
        assert run(*wrapped("a.txt", _text(MARK), (form,) * (DEPTH + 1))).content is None


@pytest.mark.parametrize("outer", WRAPPERS)
@pytest.mark.parametrize("inner", WRAPPERS)
def test_a_mark_is_found_in_every_format_inside_every_other(inner: str, outer: str) -> None:
    name, data = wrapped("a.txt", _text(MARK), (inner, outer, inner, outer))
    prove(run(name, data), MARK, in_mail="eml" in (inner, outer))


@pytest.mark.parametrize("case", UNREAD)
def test_what_nobody_reads_is_left_behind_and_named(case: str) -> None:
    name, build, code = UNREAD[case]
    for mark in MARKS.values():
        outcome = run(name, build(mark))
        assert outcome.content is not None
        assert not visible(outcome.content.bytes(), mark)
        assert code in {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("holder", [holder for holder in HOLDERS if not holder.startswith(UNFOLDED_BY_US_ALONE)])
def test_the_programs_that_look_at_deliveries_would_see_the_mark(holder: str) -> None:
    """Of what came in: or else that they see nothing would say nothing."""
    name, build = HOLDERS[holder]
    assert visible(build(MARK), MARK)
    for form in WRAPPERS:
        assert visible(wrapped(name, build(MARK), (form,))[1], MARK), form
