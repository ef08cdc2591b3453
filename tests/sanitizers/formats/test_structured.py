"""XML and JSON: the same data, nothing that a program acts on."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pytest

from sanitizers.formats import structured as subject
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason, Verdict
from tests.build.context import run, sanitize

BODY = '<工事 xmlns="urn:x" 番号="①㈱"><件名>髙橋 &amp; 表示～</件名>\n  <空/><v> -1 </v></工事>'


def xml(text: str | bytes) -> tuple[bytes, list[str]]:
    data = text if isinstance(text, bytes) else text.encode()
    rebuilt, context = sanitize(subject.XML, data, Kind.XML, "a.xml")
    return rebuilt.content.bytes(), [finding.code for finding in context.findings]


def instructions(data: bytes) -> list[str]:
    """Processing instructions, comments and document types as expat sees them."""
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.ProcessingInstructionHandler = lambda target, _: seen.append(target)
    parser.CommentHandler = lambda _: seen.append("comment")
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("doctype")
    parser.Parse(data, True)
    return seen


@pytest.mark.parametrize(
    ("label", "codec"), [("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig"), ("Shift_JIS", "cp932"), ("Windows-31J", "cp932"), ("UTF-16", "utf-16")]
)
def test_ordinary_xml_is_clean_and_keeps_its_encoding(label: str, codec: str) -> None:
    outcome = run(f'<?xml version="1.0" encoding="{label}"?>\r\n{BODY}'.encode(codec), "a.xml")
    assert (outcome.report.verdict, outcome.report.findings) == (Verdict.CLEAN, ())
    assert outcome.content is not None
    text = outcome.content.bytes().decode(codec)
    assert ET.fromstring(text.partition("?>")[2]).attrib == {"番号": "①㈱"}
    assert text.partition("?>")[2].strip() == BODY


def test_xml_without_declaration_is_utf_8() -> None:
    assert xml('<a xmlns="x">日本</a>') == ('<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="x">日本</a>'.encode(), [])


def test_character_data_only_looks_like_markup() -> None:
    out, codes = xml("<?xml version='1.0'?><a><![CDATA[<!-- no --><?xml-stylesheet href='x'?><script/>]]></a>")
    assert codes == []
    assert ET.fromstring(out).text == "<!-- no --><?xml-stylesheet href='x'?><script/>"


def test_a_character_that_the_encoding_lacks_brings_utf_8() -> None:
    out, codes = xml('<?xml version="1.0" encoding="Shift_JIS"?><a>&#x1F600;日本</a>'.encode("cp932"))
    assert codes == ["text.encoding"]
    assert ET.fromstring(out).text == "😀日本"


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ('<?xml-stylesheet type="text/xsl" href="https://evil.example/x.xsl"?>', "markup.stylesheet"),
        ('<?mso-application progid="Word.Document"?>', "markup.processing_instruction"),
        ("<!-- a comment -->", "markup.comment"),
    ],
)
@pytest.mark.parametrize("frame", ["{}<a>x</a>", "<a>x{}y</a>", "<a>x</a>{}"])
def test_instructions_and_comments_stay_behind(inside: str, code: str, frame: str) -> None:
    out, codes = xml('<?xml version="1.0"?>' + frame.format(inside))
    assert codes == [code]
    assert instructions(out) == []
    assert xml(out) == (out, [])


@pytest.mark.parametrize(
    "element",
    [
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
        '<h:iframe xmlns:h="http://www.w3.org/1999/xhtml" src="https://evil.example/"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
        '<xsl:template xmlns:xsl="http://www.w3.org/1999/XSL/Transform" match="/"/>',
        '<o:ObjectDataProvider xmlns:o="http://schemas.microsoft.com/winfx/2006/xaml/presentation"/>',
    ],
)
def test_elements_that_browsers_act_on_stay_behind(element: str) -> None:
    out, codes = xml(f'<?xml version="1.0"?><a><b>one</b>{element}two<c/>{element}three</a>')
    assert set(codes) == {"markup.active_element"}
    root = ET.fromstring(out)
    assert [child.tag for child in root.iter()] == ["a", "b", "c"]
    assert "".join(root.itertext()) == "onetwothree"
    assert run(out, "a.xml").report.verdict is Verdict.CLEAN


def test_a_whole_document_of_them_is_refused() -> None:
    with pytest.raises(Malformed):
        xml('<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>')


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LAUGHS, "xml.dtd"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml.dtd"),
        ('<!DOCTYPE a PUBLIC "x" "INDEX_C03.DTD"><a/>', "xml.dtd"),
        ("<a>", "xml.malformed"),
        ("<a></b>", "xml.malformed"),
        ("<a/><b/>", "xml.malformed"),
        ("<a>&unknown;</a>", "xml.malformed"),
        ("<a>" * 300 + "</a>" * 300, "xml.malformed"),
        ("<a b='1' b='2'/>", "xml.malformed"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_what_readers_could_take_in_two_ways_is_refused(text: str, code: str, codec: str) -> None:
    outcome = run(('<?xml version="1.0"?>' + text).encode(codec), "a.xml")
    assert outcome.report.reason is Reason.MALFORMED
    assert outcome.report.findings[-1].code == code


def test_undecodable_xml_is_refused() -> None:
    with pytest.raises(Malformed):
        xml(b'<?xml version="1.0" encoding="Shift_JIS"?><a>\x83\xff\xfd\x80</a>')


# --- JSON -------------------------------------------------------------------------------------------------------------------------------


def js(text: str | bytes, **options: object) -> tuple[bytes, list[str]]:
    data = text if isinstance(text, bytes) else text.encode()
    rebuilt, context = sanitize(subject.JSON, data, Kind.JSON, "a.json", **options)
    return rebuilt.content.bytes(), [finding.code for finding in context.findings]


@pytest.mark.parametrize(
    "text",
    [
        '{"氏名": "髙橋①", "値": [1, -2.50, 1e400, true, null],\r\n\t"空": {}}', "[]", '"only text"', "3.14159265358979323846264338327950288",
        '{"a": "\\u0000\\u202e<script>", "b": ' + "9" * 6000 + "}", '{"type": "FeatureCollection", "features": []}', "[[" * 100 + "]]" * 100,
    ],
)  # fmt: skip
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
def test_ordinary_json_keeps_every_byte(text: str, codec: str) -> None:
    assert js(text.encode(codec)) == (text.encode(codec), [])


def test_json_goes_through_the_engine() -> None:
    data = '{"氏名": "髙橋①", "値": [1.10]}'.encode("cp932")
    outcome = run(data, "a.json")
    assert outcome.report.verdict is Verdict.CLEAN
    assert outcome.content is not None
    assert outcome.content.bytes() == data


def test_raw_invisible_characters_go() -> None:
    out, codes = js('{"a": "x\u202ey\u200bz"}')
    assert json.loads(out) == {"a": "xyz"}
    assert codes == ["text.bidi_override", "text.invisible"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "json.duplicate_key"),
        ('[{"x": {"a": 1, "\\u0061": 2}}]', "json.duplicate_key"),
        ('{"a\u200b": 1, "a": 2}', "json.duplicate_key"),
        ("[1,]", "json.malformed"),
        ('{"a": NaN}', "json.malformed"),
        ("[1] // comment", "json.malformed"),
        ("{'a': 1}", "json.malformed"),
        ("[1][2]", "json.malformed"),
        ("[" * 257 + "]" * 257, "json.malformed"),
        ("[" * 100_000, "json.malformed"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "json.malformed"),
        ('{"x":"' + '\\"' * 300_000, "json.malformed"),
    ],
)
def test_what_is_not_json_is_refused(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        js(text)
    assert refusal.value.code == code


def test_more_json_than_memory_is_refused_before_it_is_parsed() -> None:
    limits = Limits(memory_bytes=2400)
    js("[" + "[]," * 30 + "1]", limits=limits)
    with pytest.raises(LimitExceeded):
        js("[" + "[]," * 40 + "1]", limits=limits)


DELIVERY = (
    ("gyomudata", "INDE_D04.DTD"), ("constdata", "INDE_C07.DTD"), ("report", "REP04.DTD"), ("drawing", "DRAW04.DTD"), ("photodata", "PHOTO05.DTD"),
    ("plandata", "PLAN05.DTD"), ("surveydata", "SURVEY02.DTD"), ("meetdata", "MEET04.DTD"), ("othrsdata", "OTHRS05.DTD"),
)  # fmt: skip


@pytest.mark.parametrize(("root", "dtd"), DELIVERY)
@pytest.mark.parametrize(("label", "codec"), [("Shift_JIS", "cp932"), ("UTF-8", "utf-8")])
def test_an_index_of_electronic_delivery_keeps_the_name_of_its_type(root: str, dtd: str, label: str, codec: str) -> None:
    text = f'<?xml version="1.0" encoding="{label}"?>\n<!DOCTYPE {root} SYSTEM "{dtd}">\n<{root} DTD_version="04">\n<件名>能登①㈱</件名>\n</{root}>'
    outcome = run(text.encode(codec), "INDEX_D.XML")
    assert outcome.content is not None, outcome.report
    assert (outcome.report.verdict, outcome.report.findings) == (Verdict.CLEAN, ())
    assert outcome.content.bytes() == text.encode(codec)


def test_its_style_sheet_goes() -> None:
    text = '<?xml version="1.0"?>\n<!-- x --><?xml-stylesheet href="INDE_D04.XSL"?><!DOCTYPE report SYSTEM "REP04.DTD">\n<report/>'
    outcome = run(text.encode(), "REPORT.XML")
    assert outcome.content is not None, outcome.report
    assert outcome.content.bytes() == b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE report SYSTEM "REP04.DTD">\n<report/>'


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a SYSTEM "EVIL.DTD">', '<!DOCTYPE a SYSTEM "http://x/REP04.DTD">', '<!DOCTYPE a SYSTEM "../REP04.DTD">', '<!DOCTYPE a SYSTEM "\\\\h\\REP04.DTD">',
        '<!DOCTYPE a SYSTEM "REP04.DTD" [<!ENTITY x "y">]>', '<!DOCTYPE a SYSTEM "REP04.DTD" []>', '<!DOCTYPE a PUBLIC "x" "REP04.DTD">',
        '<!DOCTYPE b SYSTEM "REP04.DTD">', '<!DOCTYPE a SYSTEM "REP04.DTD"><!DOCTYPE a SYSTEM "REP04.DTD">', "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "REP04.DTD">%x;]>', '<!DOCTYPE a SYSTEM "REP04.DTD%x;">', '<!doctype a SYSTEM "REP04.DTD">',
    ],
)  # fmt: skip
def test_any_other_document_type_is_refused(doctype: str) -> None:
    outcome = run(f'<?xml version="1.0"?>\n{doctype}\n<a xmlns:x="y">1</a>'.encode(), "x.xml")
    assert outcome.content is None
    assert outcome.report.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_KIND)


def test_a_type_in_a_comment_is_none() -> None:
    outcome = run(b'<?xml version="1.0"?>\n<!-- <!DOCTYPE a SYSTEM "REP04.DTD"> -->\n<a/>', "x.xml")
    assert outcome.content is not None
    assert b"DOCTYPE" not in outcome.content.bytes()


@pytest.mark.parametrize(
    "space",
    [
        "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2001/XInclude",
        "http://www.w3.org/2003/XInclude", "http://www.w3.org/1999/XSL/Transform", "http://www.w3.org/1999/XSL/Format", "http://www.mozilla.org/xbl",
        "http://www.w3.org/ns/xbl", "http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul", "http://schemas.microsoft.com/winfx/2006/xaml",
        "http://schemas.microsoft.com/winfx/2006/xaml/presentation", "urn:schemas-microsoft-com:xslt",
    ],
)  # fmt: skip
def test_every_active_vocabulary_stays_behind(space: str) -> None:
    outcome = run(f'<a xmlns:x="{space}">one<x:thing>two</x:thing>three</a>'.encode(), "a.xml")
    assert outcome.content is not None
    assert b"onethree" in outcome.content.bytes()
    assert [finding.code for finding in outcome.report.findings] == ["markup.active_element"]


def test_two_parsers_must_agree() -> None:
    """Names of letters that one edition of the standard knows and the other does not."""
    with pytest.raises(Malformed, match="two parsers disagree"):
        xml("<a><\u2c00/></a>")


def test_a_prologue_without_end_is_refused() -> None:
    for text in ("<!-- never", "<?x never", "<!-- alone -->", " \n<!-- a --><!-- never"):
        with pytest.raises(Malformed):
            xml(text)


def test_text_behind_an_element_that_goes_stays() -> None:
    active = '<x:script xmlns:x="http://www.w3.org/1999/xhtml">x()</x:script>'
    data, codes = xml(f"<a>1{active}2<b/>{active}3{active}</a>")
    assert codes == ["markup.active_element"]
    assert b"<a>12<b/>3</a>" in data


@pytest.mark.parametrize(
    ("label", "codec", "wanted", "said"),
    [
        ("Shift_JIS", "cp932", True, ["text.encoding"]), ("UTF-8", "utf-8", True, []), ("Shift_JIS", "cp932", False, []),
        ("EUC-KR", "euc_kr", False, ["text.encoding"]), ("GB18030", "gb18030", False, ["text.encoding"]),
    ],
)  # fmt: skip
def test_encodings_that_policy_or_nobody_wants_become_utf_8(label: str, codec: str, wanted: bool, said: list[str]) -> None:
    body = "<a>한국어 中國</a>" if codec in ("euc_kr", "gb18030") else "<a>無害化</a>"
    data = f'<?xml version="1.0" encoding="{label}"?>{body}'.encode(codec)
    rebuilt, context = sanitize(subject.XML, data, Kind.XML, "a.xml", text_as_utf8=wanted)
    assert [finding.code for finding in context.findings] == said
    assert (b'encoding="UTF-8"' in rebuilt.content.bytes()) == (bool(said) or label == "UTF-8")
    assert ET.fromstring(rebuilt.content.bytes().decode("cp932" if not said and codec == "cp932" else "utf-8").partition("?>")[2]).text == body[3:-4]
