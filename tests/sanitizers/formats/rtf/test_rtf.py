"""RTF: a clean file keeps its meaning, each danger is gone to the eyes of oletools and of a plain search, broken files are refused.

The cases of the list: R01 "object", R02 "object scattered", R03 "object that updates itself", R04 "template", R05 the fields, R06 the limits,
R07 "binary …", "short header" and the letters that Word reads.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from oletools import msodde, rtfobj

from sanitizers.context import Outcome
from sanitizers.model import Action, Kind, LimitExceeded, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.rtf import verify
from tests.build import corpus, image, libreoffice
from tests.build import rtf as build
from tests.build.context import context, run

CANARY = build.CANARY.encode()


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def codes(outcome: Outcome) -> dict[str, str]:
    return {finding.code: finding.detail for finding in outcome.report.findings if finding.action is not Action.KEPT}


def objects(data: bytes) -> int:
    parser = rtfobj.RtfObjParser(data)
    parser.parse()
    return len(parser.objects)


def test_a_clean_file_is_clean_and_twice_equals_once() -> None:
    once = run(build.clean(), "a.rtf")
    assert once.report.verdict is Verdict.CLEAN, once.report.findings
    twice = run(content(once), "a.rtf")
    assert twice.report.verdict is Verdict.CLEAN
    assert content(twice) == content(once)


def test_what_a_document_is_made_of_stays() -> None:
    data = content(run(build.clean(), "a.rtf"))
    for part in (
        rb"\fcharset128\fprq1 {\*\falt MS Mincho}", build.sjis("表ソ能").replace(b"\\\\", b"\\'5c"), rb"\u26085?\u26412?", rb"\u-3913?\u12354?", rb"{\f2 \'b7}",
        rb"\~\_\-\emdash ", rb"\cellx4000 \cellx8000 ", rb"{\field {\*\fldinst PAGE}{\fldrslt 1}}", rb'HYPERLINK "https://town.example.jp/"',
        rb"{\footnote \pard ", rb"{\*\bkmkstart here}", rb"{\*\shppict {\pict \picw24 \pich16 \picwgoal720 \pichgoal480 \pngblip",
        rb"{\sp {\sn pVertices}{\sv 8;3;(0,0);(10,0);(-10,20)}}", rb"{\sp {\sn wzName}{\sv Text Box 1}}", rb"{\shptxt ",
        rb"{\title \'91\'e8\'96\'bc}", rb"{\propname MSIP_Label_1_Name}\proptype30 {\staticval secret-2}",
    ):  # fmt: skip
        assert part.replace(b" ", b"") in data.replace(b" ", b""), part
    assert data.count(b"\\pngblip") == 1
    for word in (b"\\generator", b"\\creatim", b"\\rsidtbl", b"\\nonshppict", b"\\shprslt", b"\\uc"):
        assert word not in data


@libreoffice.needed
def test_libreoffice_sees_the_same(tmp_path: Path) -> None:
    before, after = tmp_path / "before.rtf", tmp_path / "after.rtf"
    before.write_bytes(build.clean())
    after.write_bytes(content(run(build.clean(), "a.rtf")))
    drawn = libreoffice.to_pdf([before, after], tmp_path / "pdf")
    assert min(libreoffice.similarity(drawn[before], drawn[after])) > 0.995


@pytest.mark.parametrize("danger", build.DANGERS)
def test_a_danger_is_gone_and_reported(danger: str, tmp_path: Path) -> None:
    data = build.DANGERS[danger]
    assert CANARY in build.hidden(data)
    outcome = run(data, "a.rtf")
    after = content(outcome)
    assert codes(outcome) or any(part.findings for part in outcome.report.parts), "nothing was reported"
    assert CANARY not in build.hidden(after)
    assert CANARY.hex().encode() not in after.lower()
    assert objects(after) == 0
    path = tmp_path / "a.rtf"
    path.write_bytes(after)
    assert not msodde.process_file(str(path), msodde.FIELD_FILTER_DDE)
    assert build.sjis(build.VISIBLE) in after
    twice = run(after, "a.rtf")
    assert (twice.report.verdict, content(twice)) == (Verdict.CLEAN, after)


def test_oletools_finds_the_objects_that_were_there() -> None:
    """The eye that the other test trusts is open."""
    assert all(objects(build.DANGERS[name]) for name in ("object", "object scattered", "object that updates itself", "object in binary"))


@pytest.mark.parametrize(
    ("danger", "code"),
    [
        ("object", "rtf.object"), ("object data alone", "rtf.object"), ("template", "rtf.external_file"), ("next file", "rtf.external_file"),
        ("field DDEAUTO", "rtf.dde"), ("field dde", "rtf.dde"), ("field in pieces", "rtf.dde"), ("field in unicode", "rtf.dde"),
        ("field INCLUDEPICTURE", "rtf.external_field"), ("field MACROBUTTON", "rtf.macro"), ("field FILLIN", "rtf.field"),
        ("link to a share", "rtf.link"), ("link of a shape", "rtf.link"), ("binary amid the text", "rtf.binary"),
        ("embedded font", "rtf.embedded_font"), ("data store", "rtf.data_store"), ("html", "rtf.html"), ("custom xml", "rtf.custom_xml"),
        ("macro of a form", "rtf.macro"), ("unknown destination", "rtf.unknown_destination"), ("shape fragments", "rtf.shape_property"),
        ("old drawing", "rtf.old_drawing"), ("author", "file.metadata"), ("property of a person", "file.metadata"),
        ("password", "rtf.protection"), ("behind the end", "rtf.trailing_data"), ("mail merge", "rtf.mail_merge"),
        ("picture that is none", "rtf.picture_replaced"), ("private data", "rtf.private_data"), ("theme", "rtf.document_variable"),
    ],
)  # fmt: skip
def test_a_danger_is_called_by_its_name(danger: str, code: str) -> None:
    assert code in codes(run(build.DANGERS[danger], "a.rtf"))


@pytest.mark.parametrize("danger", ["object", "field DDEAUTO", "field INCLUDETEXT", "link to a file"])
def test_what_was_shown_stays(danger: str) -> None:
    assert b"shown" in content(run(build.DANGERS[danger], "a.rtf"))


def test_the_class_of_an_object_is_said() -> None:
    assert codes(run(build.DANGERS["control"], "a.rtf"))["rtf.object"] == "MSComctlLib.ListViewCtrl.2"


@pytest.mark.parametrize("scheme", ["https", "http", "mailto", "tel"])
def test_links_of_allowed_schemes_stay(scheme: str) -> None:
    rest = "//town.example.jp/" if scheme.startswith("http") else "a"
    data = build.document(b'{\\field{\\*\\fldinst{HYPERLINK "' + f"{scheme}:{rest}".encode() + b'" \\\\o "tip"}}{\\fldrslt x}}')
    outcome = run(data, "a.rtf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert f'"{scheme}:{rest}"'.encode() in content(outcome)


def test_comments_go_if_policy_says_so() -> None:
    data = build.document(b"a{\\*\\atnid T}{\\*\\atnauthor Taro}\\chatn{\\*\\annotation\\pard remark}")
    assert b"remark" in content(run(data, "a.rtf"))
    outcome = run(data, "a.rtf", comments_kept=False)
    assert set(codes(outcome)) == {"rtf.comment"}
    assert b"remark" not in content(outcome)
    assert b"Taro" not in content(outcome)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\\uc1\\u12354 \\'82after", b"\\u12354?after"),               # one letter is passed over
        (b"\\uc2\\u12354\\'82\\'a0after", b"\\u12354?after"),           # two bytes
        (b"\\uc0\\u12354 after", b"\\u12354?after"),                    # none
        (b"{\\uc3\\u12354 ab}after", b"{\\u12354?}after"),              # a group ends what is passed over
        (b"\\uc1\\u12354\\b after", b"\\u12354?after"),                 # a word counts as one
        (b"\\u-10179\\'3f\\'3f\\u-8694\\'3f\\'3fx", b"\\u-10179?\\u-8694?x"),   # two surrogates
        (b"\\u99999 ??x", b"\\u-31073?x"),                               # sixteen bits of it
        (b"a\\\nb\\\tc", b"a\\par\r\nb\\tab c"),
        (b"\\'8e\\'7b\\'95\\'5c\\'7d x", b"\\'8e\\'7b\\'95\\'5c\\'7d x"),     # second bytes that are braces and backslashes
        (b"a\\{b\\}c\\\\d", b"a\\'7bb\\'7dc\\'5cd"),
        (b"\x82\xa0 raw", b"\\'82\\'a0 raw"),
        (b"a\x00\x01b\\'07c", b"abc"),
    ],
)
def test_letters_are_read_as_word_reads_them(body: bytes, expected: bytes) -> None:
    assert content(run(build.document(body), "a.rtf")).endswith(b"\\par\r\n" + expected + b"}\r\n")


@pytest.mark.parametrize(
    "body",
    [b"\\listoverridecount25", b"\\itap999", b"\\ilvl77", b"\\f70000", b"\\fs99999999999999999999", b"\\listoverridecount-1"],
)
def test_numbers_out_of_range_go(body: bytes) -> None:
    data = content(run(build.document(body + b" x"), "a.rtf"))
    assert body not in data
    assert data.endswith(b"x}\r\n")


def test_a_file_that_is_cut_is_closed_and_says_so() -> None:
    outcome = run(build.clean()[:-20], "a.rtf")
    assert "rtf.unbalanced" in codes(outcome)
    assert content(outcome).count(b"{") == content(outcome).count(b"}")


@pytest.mark.parametrize("data", [b"{\\rtx1 x}", b"{\\rtf1\\bin99 x}", b"{\\rtfoo x}"])
def test_a_broken_file_is_refused(data: bytes) -> None:
    assert run(data, "a.rtf").report.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "data",
    [b"{\\rtf1" + b"{" * 5000 + b"x" + b"}" * 5001, b"{\\rtf1{\\fonttbl" + b"{\\f1 a;}" * 10_000 + b"}x}"],
    ids=["depth", "fonts"],
)
def test_past_a_limit_the_file_is_held(data: bytes) -> None:
    with pytest.raises(LimitExceeded):
        run(data, "a.rtf")


@pytest.mark.parametrize("opening", [b"{", b"{\\upr{\\*\\ud ", b"{\\field{\\*\\fldinst IF }{\\fldrslt ", b"{\\object{\\result ", b"{\\*\\shppict "])
def test_groups_may_be_nested_as_deep_as_the_limit(opening: bytes) -> None:
    levels = opening.count(b"{") - opening.count(b"}")
    count = 118 // levels
    outcome = run(build.document(opening * count + b"x" + b"}" * levels * count), "a.rtf")
    assert outcome.content is not None


def test_a_bitmap_comes_back_as_a_bitmap() -> None:
    picture = io.BytesIO()
    image.scene((9, 7)).save(picture, "BMP")
    data = build.document(b"{\\pict\\dibitmap0\\picw9\\pich7 " + picture.getvalue()[14:].hex().encode() + b"}")
    outcome = run(data, "a.rtf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert picture.getvalue()[14:].hex()[-60:].encode() in content(outcome).replace(b"\r\n", b"")


_REAL = """
import json, pathlib, sys
from tests.build.context import context, run
answers = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("rtf/*/*.rtf")):
    once = run(path.read_bytes(), path.name)
    twice = run(once.content.bytes(), path.name) if once.content else once
    same = twice.content is not None and twice.content.bytes() == once.content.bytes()
    answers[path.name] = [once.report.verdict, twice.report.verdict, same, once.content.bytes().decode() if once.content else ""]
print(json.dumps(answers))
"""


@pytest.mark.skipif(not corpus.manifest(), reason="the corpus is not here")
def test_real_files_are_delivered() -> None:
    answers = corpus.ask(_REAL)
    assert len(answers) >= 9
    for name, (once, twice, same, after) in answers.items():
        assert (once in ("clean", "sanitized"), twice, same, objects(after.encode())) == (True, "clean", True, 0), name


_PICTURE = b"\\pict \\pngblip\r\n" + b"89504e47" * 200


@pytest.mark.parametrize(
    "body",
    [
        b"{\\object x}", b"{\\*\\objdata 00}", b"\\bin4 abcd", b"{\\*\\template x}", b"{\\*\\zzz x}", b"\\* x", b"{{}", b"}", b"\x82\xa0", b"\x00",
        b"0123456789abcdef" * 300, b"{" + _PICTURE + b"}", b"{\\field {\\*\\fldinst DDEAUTO x}}", b"{\\field {\\*\\fldinst {\\b DD}{E} x}}",
        b"{\\field {\\*\\fldinst \\u68?DE x}}", b'{\\field {\\*\\fldinst HYPERLINK "file:///x"}}', b"x} {\\rtf1 y",
    ],
)  # fmt: skip
def test_the_verifier_sees_what_does_not_belong(body: bytes) -> None:
    bad = Source(content(run(build.document(b""), "a.rtf"))[:-3] + body + b"}\r\n")
    with pytest.raises(VerificationFailed):
        verify(bad, bad, context("a.rtf", Kind.RTF))


def test_the_verifier_compares_the_words() -> None:
    one, other = (content(run(build.document(text), "a.rtf")) for text in (b"one", b"other"))
    verify(Source(one), Source(build.document(b"o{\\b n}{\\*\\x y}\\'65")), context("a.rtf", Kind.RTF))
    with pytest.raises(VerificationFailed):
        verify(Source(other), Source(build.document(b"one")), context("a.rtf", Kind.RTF))
