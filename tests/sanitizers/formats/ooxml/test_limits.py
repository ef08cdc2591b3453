"""What is made to cost much is refused or costs little: cells, nesting, names that hang on one another, names by the thousand."""

from __future__ import annotations

import re

import pytest

from sanitizers.model import LimitExceeded, Limits, Reason, Verdict
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import OFFICE, Pack

BEGIN = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'


def test_cells_are_limited() -> None:
    cells = '<row r="1">' + "<c/>" * 100 + "</row>"
    with pytest.raises(LimitExceeded):
        run(build.xlsx(cells).bytes(), "様式", limits=Limits(cells=99))


@pytest.mark.parametrize(("depth", "reason"), [(20, None), (300, Reason.MALFORMED)])
def test_fields_in_fields(depth: int, reason: Reason | None) -> None:
    assert run(build.docx(f"<w:p>{BEGIN * depth}</w:p>").bytes(), "様式").report.reason is reason


def _names(count: int) -> bytes:
    """Each name hangs on the next one, the last on a macro function."""
    defined = "".join(f'<definedName name="n{number}_">n{number + 1}_*2</definedName>' for number in range(count))
    return build.xlsx(workbook=f'<definedNames>{defined}<definedName name="n{count}_">EXEC("x")</definedName></definedNames>').bytes()


def test_names_that_hang_on_a_name_that_goes_go_too() -> None:
    outcome = run(_names(20), "様式")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.content is not None
    assert b"definedName" not in build.members(outcome.content.bytes())["xl/workbook.xml"]


def test_a_long_chain_of_names_is_refused() -> None:
    assert run(_names(200), "様式").report.reason is Reason.MALFORMED


def test_foreign_names_by_the_thousand_go() -> None:
    body = "".join(f'<w:p q:a{number}="1"><q:e{number}/></w:p>' for number in range(3000))
    outcome = run(build.docx(f'<w:p xmlns:q="urn:q">{body}</w:p>').bytes(), "様式")
    assert outcome.content is not None
    assert b"urn:q" not in build.members(outcome.content.bytes())["word/document.xml"]


def test_a_long_declaration_hides_no_names() -> None:
    pack = build.docx("<w:p><w:foo/></w:p>" * 50)
    pack.parts["word/document.xml"] = pack.parts["word/document.xml"].replace(b'"?>', b'"' + b" " * 500 + b"?>", 1)
    outcome = run(pack.bytes(), "様式")
    assert outcome.content is not None
    assert b"w:foo" not in build.members(outcome.content.bytes())["word/document.xml"]


def test_parts_of_the_same_odd_name_get_names_of_their_own() -> None:
    pack = build.docx("".join(build.inline_picture(f"rIdP{number}") for number in range(50)))
    for number in range(50):
        pack.attach("word/document.xml", f"rIdP{number}", "image", f"word/media/絵{number}/é.png", build.png(colour=bytes([number] * 3)))
    outcome = run(pack.bytes(), "様式")
    assert outcome.content is not None
    parts = build.members(outcome.content.bytes())
    assert len({name.lower() for name in parts if name.endswith(".png")}) == 50


ITEM = "{11111111-2222-3333-4444-555555555555}"


def _bound(content: str) -> Pack:
    """A document whose content control is bound to an item of custom XML."""
    control = f'<w:sdt><w:sdtPr><w:dataBinding w:xpath="/a" w:storeItemID="{ITEM}"/><w:text/></w:sdtPr><w:sdtContent>{build.paragraph("値")}</w:sdtContent></w:sdt>'
    pack = build.docx(control).attach("word/document.xml", "rIdX", "customXml", "customXml/item1.xml", content)
    space = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
    item = f'<ds:datastoreItem ds:itemID="{ITEM}" xmlns:ds="{space}"/>'
    return pack.attach("customXml/item1.xml", "rId1", "customXmlProps", "customXml/itemProps1.xml", item, f"{OFFICE}customXmlProperties+xml")


@pytest.mark.parametrize(
    ("content", "stays"), [("<a>値</a>", True), (f"<a>{'x' * 70_000}</a>", False), (f'<a b="{"x" * 70_000}"/>', False), (f"<a>{'<b/>' * 1_100_000}</a>", False)]
)
def test_custom_xml_is_for_forms_not_for_files(content: str, stays: bool) -> None:
    outcome = run(_bound(content).bytes(), "様式")
    assert outcome.content is not None
    assert ("customXml/item1.xml" in build.members(outcome.content.bytes())) is stays
    assert ("ooxml.custom_xml" in {finding.code for finding in outcome.report.findings}) is not stays


def test_custom_xml_that_no_control_is_bound_to_goes() -> None:
    pack = _bound("<a>値</a>")
    pack.parts["word/document.xml"] = pack.parts["word/document.xml"].replace(ITEM.encode(), ITEM.replace("1", "6").encode())
    outcome = run(pack.bytes(), "様式")
    assert outcome.content is not None
    assert not any(name.startswith("customXml") for name in build.members(outcome.content.bytes()))
    assert "ooxml.custom_xml" in {finding.code for finding in outcome.report.findings}


def test_rounds_of_hashing_are_limited() -> None:
    locked = build.locked(build.docx(), "x")
    said = re.search(rb'spinCount="\d+" \w+="\w+"', locked)
    assert said is not None
    more = b'spinCount="2000000"'.ljust(len(said[0]))
    with pytest.raises(LimitExceeded):
        run(locked.replace(said[0], more), "様式.docx")
