"""What is set aside comes out as if it had been part of the tree: the same bytes, the same findings, of whatever is written."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanitizers import xml
from sanitizers.model import Verdict
from tests.build import odf as build
from tests.build.apart import apart, both, damaged, told
from tests.build.odf import CANARY, Pack

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
FLOAT = 'office:value-type="float" office:value="4"'
PARAGRAPHS = (
    '<text:p text:style-name="P1">本文</text:p>', "<text:p>a &amp; b &lt; c</text:p>", "<text:p>&quot;q&#65;</text:p>", '<text:p>a > b "c"</text:p>',
    "<text:p/>", "<text:p></text:p>", "<text:p ><text:s/></text:p >", "<text:p text:style-name='P2'> </text:p>", "<text:p>\U000f0000 0 \U000f0000</text:p>",
    '<text:p>a<text:s text:c="3"/>b<text:s text:c="0003"/></text:p>', '<text:p>a<text:s text:c="x"/></text:p>', '<text:p>a<text:s text:c="100000"/></text:p>',
    "<text:p><!-- c --></text:p>", "<text:p><?p i?></text:p>", "<text:p><![CDATA[<text:p>]]></text:p>", '<text:p><text:foo text:c="1"/>\n</text:p>',
    '<text:p text:foo="1">x</text:p>', '<text:p loext:mark="a">x</text:p>', '<text:p loext:mark="http://x/">x</text:p>', '<text:p loext:mark="a&quot;">x</text:p>',
    f'<text:p><q:x xmlns:q="urn:q">{CANARY}</q:x></text:p>', '<text:p xmlns:text="urn:t">other</text:p>',
    '<text:p><text:a xlink:href="https://example.jp/">link</text:a></text:p>', '<text:p><text:a xlink:href="file:///x">link</text:a></text:p>',
    '<text:section text:name="s"><text:p>in</text:p><text:p><text:execute-macro>m</text:execute-macro></text:p><text:p>out</text:p></text:section>',
    "<text:list><text:list-item><text:p>1</text:p></text:list-item><text:list-item><text:p><text:script>s</text:script></text:p></text:list-item></text:list>",
    '<text:p><text:expression text:formula="ooow:1+1" office:value-type="float">2</text:expression></text:p>',
    '<text:p><text:expression text:formula="DDE(&quot;a&quot;;1;2)" office:value-type="float">2</text:expression></text:p>',
    "<text:p><office:annotation><text:p>note</text:p></office:annotation>x</text:p>", "text", '<text:p xml:id="a" xml:id="b"/>',
    f'<table:table table:name="t"><table:table-row><table:table-cell {FLOAT}><text:p>4</text:p></table:table-cell></table:table-row></table:table>',
)  # fmt: skip
CELLS = (
    f"<table:table-cell {FLOAT}><text:p>4</text:p></table:table-cell>", '<table:table-cell table:number-columns-repeated="1000"/>',
    f'<table:table-cell table:number-columns-repeated="3" {FLOAT}><text:p>4</text:p></table:table-cell>',
    f'<table:table-cell table:number-columns-repeated="99999999" {FLOAT}><text:p>4</text:p></table:table-cell>', "<table:table-cell></table:table-cell>",
    f'<table:table-cell calcext:value-type="float" {FLOAT}><text:p>4</text:p></table:table-cell>', '<table:table-cell table:number-columns-repeated="x"/>',
    f'<table:table-cell table:formula="of:=SUM([.B1:.E1])*1.1" {FLOAT}/>', f'<table:table-cell table:formula="of:=IF([.B2]&gt;1;&quot;a&quot;;2)" {FLOAT}/>',
    f'<table:table-cell table:formula="of:=WEBSERVICE(&quot;http://x/&quot;)" {FLOAT}/>', f"<table:table-cell table:formula=\"of:=['file:///x'#$a.A1]\" {FLOAT}/>",
    f'<table:table-cell table:formula="of:=far*2" {FLOAT}/><table:table-cell table:formula="of:=near+1" {FLOAT}/>', '<table:table-cell table:foo="1"/>', "\n",
)  # fmt: skip
NAMED = '<table:named-expressions><table:named-expression table:name="{}" table:expression="of:={}"/></table:named-expressions>'
PILOT = '<table:data-pilot-tables><table:data-pilot-table table:name="p" table:target-range-address="t.A1:.B2">{}</table:data-pilot-table></table:data-pilot-tables>'
PARTS = (
    NAMED.format("far", "1+1"), NAMED.format("far", "WEBSERVICE(1)"), NAMED.format("near", "far*2"), PILOT.format('<table:data-pilot-field table:source-field-name="a"/>'),
    PILOT.format('<table:source-cell-range table:cell-range-address="t.A1:.B2"/>'), "<table:table-column/>",
)  # fmt: skip


def _alike(data: bytes, name: str, **treatment: object) -> None:
    expected, found = both(data, name, **treatment)
    assert found == expected


@given(st.lists(st.sampled_from(PARAGRAPHS), max_size=12), st.booleans())
@MANY
def test_texts(paragraphs: list[str], comments: bool) -> None:
    _alike(build.odt("".join(paragraphs)).bytes(), "文書.odt", comments_kept=comments)


@given(st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=6), st.integers())
@MANY
def test_damaged_texts(paragraphs: list[str], seed: int) -> None:
    _alike(build.odt(damaged("".join(paragraphs), seed)).bytes(), "文書.odt")


@given(st.lists(st.lists(st.sampled_from(CELLS), max_size=4), max_size=5), st.lists(st.sampled_from(PARTS), max_size=3))
@MANY
def test_sheets(cells: list[list[str]], parts: list[str]) -> None:
    rows = "</table:table-row><table:table-row>".join("".join(row) for row in cells)
    _alike(build.ods(rows, inside="".join(parts)).bytes(), "表.ods")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", PARTS[:2])
def test_parts_of_sheets(part: str, name: str) -> None:
    _alike(build.ods("".join(CELLS[11:]), inside=name + part).bytes(), "表.ods")


def _seen_by_trees(pack: Pack, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that was parsed into trees while the file was rebuilt."""
    seen: list[bytes] = []
    parse = xml.parse

    def remember(data: bytes, *rest: object) -> xml.Element:
        seen.append(data)
        return parse(data, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(xml, "parse", remember)
    with apart():
        assert told(pack.bytes(), name)[0] in (Verdict.CLEAN, Verdict.SANITIZED)
    return b"".join(seen).decode()


def test_only_what_a_rule_speaks_of_becomes_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _seen_by_trees(build.odt(f"<text:p>plain</text:p>{PARAGRAPHS[22]}<text:p>after</text:p>"), "文書.odt", monkeypatch)
    assert ">link<" in seen
    assert "plain" not in seen
    assert "after" not in seen


def test_harmless_formulas_need_no_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ".B1:.E1" not in _seen_by_trees(build.ods(CELLS[7]), "表.ods", monkeypatch)


def test_a_name_from_outside_makes_one_tree_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _seen_by_trees(build.ods(CELLS[7], inside=NAMED.format("far", "WEBSERVICE(1)")), "表.ods", monkeypatch)
    assert ".B1:.E1" in seen
