"""What must be gone (L01, L04 to L07 and every removal of the module), seen by zipfile, olevba, oleobj, msodde and python-docx; twice is once."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import docx
import pytest
from oletools import msodde
from oletools.olevba import VBA_Parser

from sanitizers.formats.doc import SANITIZER
from sanitizers.formats.doc.fib import Part
from sanitizers.model import Action, Kind, Reason, Verdict
from sanitizers.source import Source
from tests.build import doc as build
from tests.build.context import context, run
from tests.build.doc import CANARY, SPECIAL, Run, field, para, sprm
from tests.build.ooxml import png
from tests.build.xls import properties

EVIL = f"http://192.0.2.1/{CANARY}"
SUMMARY = "e0859ff2f94f6810ab9108002b27b3d9"
USER = "05d5cdd59c2e1b10939708002b2cf9ae"
CANARIES = (CANARY.encode(), CANARY.encode("utf-16-le"), b"192.0.2.1", b"\xd0\xcf\x11\xe0")
BODY = para("本文")


def _doc(*body: build.Para, **more: object) -> bytes:
    return build.document(BODY, *body, **more)  # type: ignore[arg-type]


def _field(instruction: str, **more: object) -> Callable[[], bytes]:
    return lambda: _doc(para("前", *field(instruction, "結果"), "後"), **more)


def _nested(inner: str) -> bytes:
    """A field whose instruction comes out of another one."""
    return _doc(para(Run("\x13", SPECIAL), " ", *field(inner, "結果"), Run("\x14", SPECIAL), "結果", Run("\x15", SPECIAL)))


def _linked_picture() -> bytes:
    data = build.picture(png(), mode=0x66, name=EVIL.encode())
    return _doc(para(Run("\x01", SPECIAL + sprm(0x6A03, 0)), "結果"), data=data)


def _object() -> bytes:
    """{EMBED Package} with the picture that it shows."""
    shown = Run("\x01", SPECIAL + sprm(0x6A03, 0) + sprm(0x0856, 1))
    pieces = (Run("\x13", SPECIAL), f" EMBED {CANARY} ", Run("\x01", SPECIAL + sprm(0x080A, 1)), Run("\x14", SPECIAL), shown, Run("\x15", SPECIAL))
    return _doc(para(*pieces, "結果"), data=build.picture(png()), streams={"ObjectPool/_1/\x01Ole10Native": CANARY.encode() * 9})


def _form_with_macro() -> bytes:
    def text(said: str) -> bytes:
        return struct.pack("<H", len(said)) + said.encode("utf-16-le") + b"\0\0"

    said = struct.pack("<IHHH", 0xFFFFFFFF, 0, 0, 20) + text("欄") + text("") + text("") + text("") + text("") + text(CANARY) + text(CANARY)
    data = struct.pack("<iH", 68 + len(said), 68).ljust(68, b"\0") + said
    inside = (Run("\x13", SPECIAL), " FORMTEXT ", Run("\x01", SPECIAL + sprm(0x0806, 1) + sprm(0x6A03, 0)), Run("\x14", SPECIAL), "結果", Run("\x15", SPECIAL))
    return _doc(para(*inside), data=data)


def _associated(number: int, said: str) -> bytes:
    texts = [""] * 18
    texts[number] = said
    return _doc(para("結果"), parts={Part.ASSOCIATED: build.strings(*texts)})


def _summary(values: dict[int, str]) -> bytes:
    return _doc(para("結果"), streams={"\x05SummaryInformation": properties(SUMMARY, values)})


def _part(which: Part, data: bytes) -> Callable[[], bytes]:
    return lambda: _doc(para("結果"), parts={which: data})


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "L01 VBA": (lambda: _doc(para("結果"), streams={"Macros/VBA/dir": CANARY.encode() * 9}), "doc.macro"),
    "L01 commands of macros": (_part(Part.COMMANDS, b"\xff\x01" + struct.pack("<I", 1) + CANARY.encode()), "doc.macro"),
    "L04 object": (_object, "doc.object"),
    "L04 field of an object": (_field(f" EMBED {CANARY} "), "doc.object"),
    "L04 object pool": (lambda: _doc(para("結果"), streams={"ObjectPool/_1/\x01Ole10Native": CANARY.encode()}), "doc.object"),
    "L04 native stream": (lambda: _doc(para("結果"), streams={"\x01Ole10Native": CANARY.encode()}), "doc.object"),
    "L04 control": (_field(f" CONTROL {CANARY} "), "doc.control"),
    "L06 template": (lambda: _summary({7: EVIL + ".dotm"}), "doc.template"),
    "L06 template among the strings": (lambda: _associated(1, f"\\\\192.0.2.1\\{CANARY}.dot"), "doc.template"),
    "L06 name of a template": (lambda: _associated(1, f"{CANARY}.dot"), "file.metadata"),
    "L06 author": (lambda: _summary({4: CANARY, 8: CANARY}), "file.metadata"),
    "L06 user-defined": (lambda: _doc(para("結果"), streams={"\x05DocumentSummaryInformation": properties(USER, {2: CANARY}, {2: "会社"})}), "file.metadata"),
    "saved by": (_part(Part.SAVED_BY, build.strings("田中", f"C:\\{CANARY}")), "file.metadata"),
    "mail merge": (lambda: _associated(10, EVIL), "doc.mail_merge"),
    "mail merge settings": (_part(Part.MERGE, CANARY.encode() * 4), "doc.mail_merge"),
    "variables": (_part(Part.VARIABLES, CANARY.encode() * 4), "doc.variables"),
    "sub-documents": (_part(Part.SUB_DOCUMENTS, CANARY.encode() * 4), "doc.sub_document"),
    "DDE": (_field(f' DDEAUTO c:\\\\cmd.exe "/k {CANARY}" '), "doc.dde"),
    "DDE in small letters": (_field(f' ddeauto c:\\\\cmd.exe "/k {CANARY}" '), "doc.dde"),
    "DDE in a field": (lambda: _nested(f" DDE cmd {CANARY} "), "doc.dde"),
    "a field whose name another one makes": (lambda: _nested(f" QUOTE {CANARY} "), "doc.field"),
    "INCLUDETEXT": (_field(f' INCLUDETEXT "{EVIL}" '), "doc.external_field"),
    "INCLUDEPICTURE": (_field(f' INCLUDEPICTURE "{EVIL}" \\d '), "doc.external_field"),
    "LINK": (_field(f" LINK Excel.Sheet {CANARY} "), "doc.external_field"),
    "DATABASE": (_field(f' DATABASE \\c "{CANARY}" '), "doc.external_field"),
    "MACROBUTTON": (_field(f" MACROBUTTON {CANARY} "), "doc.macro"),
    "a field that nobody knows": (_field(f" AUTOTEXT {CANARY} "), "doc.field"),
    "merge": (_field(f" NEXTIF {CANARY} "), "doc.mail_merge"),
    "hyperlink of a bad scheme": (_field(f' HYPERLINK "javascript:{CANARY}" '), "doc.hyperlink"),
    "hyperlink to a file": (_field(f' HYPERLINK "c:\\\\{CANARY}.exe" '), "doc.hyperlink"),
    "hyperlink to a share": (_field(f' HYPERLINK \\l "\\\\\\\\192.0.2.1\\\\{CANARY}" '), "doc.hyperlink"),
    "hyperlink of a field": (
        lambda: _doc(para(Run("\x13", SPECIAL), ' HYPERLINK "', *field(" QUOTE x ", EVIL), '" ', Run("\x14", SPECIAL), "結果", Run("\x15", SPECIAL))),
        "doc.hyperlink"),
    "hyperlink with a local field": (
        lambda: _doc(para(Run("\x13", SPECIAL), ' HYPERLINK "https://www.example.jp/', *field(" PAGE ", CANARY), '" ', Run("\x14", SPECIAL), "結果",
                          Run("\x15", SPECIAL))),
        "doc.hyperlink"),
    "linked picture": (_linked_picture, "doc.linked_picture"),
    "macros of a form": (_form_with_macro, "doc.form_field"),
    "a second document behind the first": (
        lambda: build.cfb.compound({**_streams("結果"), "WordDocument": _second(_streams("結果")["WordDocument"])}), "doc.glossary"),
    "unknown stream": (lambda: _doc(para("結果"), streams={"Any": CANARY.encode()}), "doc.unknown_stream"),
}  # fmt: skip
# What nobody sees is not worth a word, but it must not cross.
HIDDEN: dict[str, Callable[[], bytes]] = {
    "L05 slack": lambda: build.cfb.compound(_streams(), slack=CANARY.encode()),
    "L05 behind the file": lambda: build.cfb.compound(_streams(), tail=CANARY.encode() * 50),
    "behind the text": lambda: build.cfb.compound({**_streams(), "WordDocument": _streams()["WordDocument"] + CANARY.encode() * 9}),
    "between the tables": lambda: build.cfb.compound({**_streams(), "1Table": _streams()["1Table"] + CANARY.encode("utf-16-le")}),
    "behind the pictures": lambda: _doc(data=CANARY.encode() * 9),
    "the table that is not used": lambda: build.cfb.compound({**_streams(), "0Table": CANARY.encode() * 9}),
    "a part that nobody knows": lambda: _doc(parts={25: CANARY.encode() * 4}),
    "printer": lambda: _doc(parts={Part.PRINTER: CANARY.encode() * 4}),
    "a footnote without a mark": lambda: _doc(stories={"footnotes": (para(CANARY),)}),
    "text of macros": lambda: _doc(stories={"macros": (para(CANARY),)}),
    "a text box that no shape shows": lambda: _doc(stories={"text_boxes": (para(CANARY),)}),
    "an endnote without a mark": lambda: _doc(stories={"endnotes": (para(CANARY),)}),
}


def _streams(*more: str) -> dict[str, bytes]:
    return build.files([BODY, *map(para, more)], {}, {})


def _second(main: bytes) -> bytes:
    """Its head begins on a page of its own."""
    main += bytes(-len(main) % 512)
    return main[:8] + struct.pack("<H", len(main) // 512) + main[10:] + main[:1024] + CANARY.encode("utf-16-le")


def _made(given: bytes) -> tuple[bytes, set[str]]:
    outcome = run(given, "様式.doc")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.DOCX, "様式.docx")
    return outcome.content.bytes(), {finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT}


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str) -> None:
    make, code = CASES[case]
    content, codes = _made(make())
    assert code in codes
    _assert_clean(content)
    assert "結果" in "\n".join(one.text for one in docx.Document(io.BytesIO(content)).paragraphs)


@pytest.mark.parametrize("case", HIDDEN)
def test_what_nobody_sees_does_not_cross(case: str) -> None:
    given = HIDDEN[case]()
    assert CANARY.encode() in given or CANARY.encode("utf-16-le") in given
    content, codes = _made(given)
    assert codes == set()
    _assert_clean(content)


def _assert_clean(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        everything = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    assert not any(canary in everything for canary in CANARIES)
    parser = VBA_Parser("x.docx", data=content)
    assert not parser.detect_vba_macros()
    parser.close()
    assert docx.Document(io.BytesIO(content)).paragraphs[0].text == "本文"


@pytest.mark.parametrize("case", [case for case in CASES if "DDE" in case or "INCLUDE" in case])
def test_msodde_finds_nothing(case: str, tmp_path: object) -> None:
    content, _ = _made(CASES[case][0]())
    path = tmp_path / "a.docx"  # type: ignore[operator]
    path.write_bytes(content)
    assert msodde.process_docx(str(path)).strip() == ""


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    content, _ = _made(CASES[case][0]())
    again = run(content, "様式.docx")
    assert again.report.verdict is Verdict.CLEAN, again.report.findings


def test_the_words_of_a_macro_button_stay() -> None:
    content, codes = _made(_doc(para(*field(f" MACROBUTTON {CANARY} ここを押す "))))
    assert codes == {"doc.macro"}
    assert docx.Document(io.BytesIO(content)).paragraphs[1].text.strip() == "ここを押す"
    _assert_clean(content)


def test_the_picture_of_an_object_stays() -> None:
    content, _ = _made(_object())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert [name for name in archive.namelist() if name.startswith("word/media/")] == ["word/media/image1.png"]


def test_a_field_that_never_ends_says_nothing() -> None:
    """Its result stays; without one nobody can say where the text goes on."""
    content, codes = _made(_doc(para(Run("\x13", SPECIAL), f" DDE {CANARY} ", Run("\x14", SPECIAL), "結果")))
    assert codes == {"doc.dde"}
    _assert_clean(content)
    assert run(_doc(para("結果", Run("\x13", SPECIAL), f" DDE {CANARY} ")), "a.doc").report.reason is Reason.MALFORMED


def test_comments_and_changes_go_where_policy_says_so() -> None:
    given = _doc(para("結果", Run("足した", sprm(0x0801, 1)), Run(CANARY, sprm(0x0800, 1))))
    kept = run(given, "x.doc")
    assert kept.content is not None
    assert kept.report.verdict is Verdict.CLEAN
    outcome = run(given, "x.doc", comments_kept=False)
    assert outcome.content is not None
    assert {finding.code for finding in outcome.report.findings} == {"doc.comments"}
    _assert_clean(outcome.content.bytes())
    assert docx.Document(io.BytesIO(outcome.content.bytes())).paragraphs[1].text == "結果足した"


@pytest.mark.parametrize(("stream", "kind"), [("__properties_version1.0", Kind.MSG), ("VisioDocument", Kind.VSD), ("Quill", Kind.PUB)])
def test_l07_another_kind_under_this_name_goes_by_its_content(stream: str, kind: Kind) -> None:
    outcome = run(build.cfb.compound({stream: bytes(64)}), "a.doc")
    assert outcome.report.input.kind is kind
    assert outcome.report.output is None or outcome.report.output.kind not in (Kind.DOC, Kind.DOCX)


def test_rules_see_what_stays_behind() -> None:
    """Macros as source, objects whole, the text in its own order."""
    source = b'Attribute VB_Name = "Auto"\r\nSub AutoOpen()\r\n'.ljust(4096)
    streams = {"Macros/VBA/Auto": b"\x01\xff\x3f" + source, "Macros/PROJECT": b"Module=Auto\r\n", "ObjectPool/_1/\x01Ole10Native": b"native"}
    given = context("a.doc", Kind.DOC)
    seen: dict[str, bytes] = {}
    given.scan = lambda layer, where, _kind: seen.update({where: layer.bytes()}) or []
    SANITIZER.sanitize(Source(_doc(para("二つ目"), streams=streams, cuts=(1, 4))), given)
    assert seen["VBA/Auto"] == source
    assert seen["ObjectPool/_1/\x01Ole10Native"] == b"native"
    assert seen["text"].decode() == "本文\r二つ目\r"
    assert [one.detail for one in given.findings if one.code == "doc.macro"] == ["Auto"]


def test_ordinary_templates_are_not_worth_a_word() -> None:
    for name in ("Normal", "Normal.dot", "C:\\Program Files\\Microsoft Office\\Templates\\Normal.dot"):
        _, codes = _made(_associated(1, name))
        assert codes <= {"file.metadata"}
