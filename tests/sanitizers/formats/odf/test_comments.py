"""Comments and tracked changes cross or not, as policy says."""

from __future__ import annotations

from tests.build import odf as build
from tests.build.context import run

_CHANGES = (
    '<text:tracked-changes><text:changed-region text:id="c1"><text:insertion/></text:changed-region><text:changed-region text:id="c2"><text:deletion>'
    "<text:p>旧い文</text:p></text:deletion></text:changed-region></text:tracked-changes>"
    '<text:p>前<text:change-start text:change-id="c1"/>新しい文<text:change-end text:change-id="c1"/><text:change text:change-id="c2"/>後'
    '<office:annotation office:name="a"><dc:creator>田中</dc:creator><text:p>意見</text:p></office:annotation>終<office:annotation-end office:name="a"/></text:p>'
)
_CELL_CHANGES = (
    '<table:tracked-changes><table:cell-content-change table:id="c1"><table:cell-address table:column="0" table:row="0" table:table="0"/><table:previous>'
    '<table:change-track-table-cell><text:p>旧い値</text:p></table:change-track-table-cell></table:previous></table:cell-content-change></table:tracked-changes>'
)


def test_they_stay_where_policy_lets_them() -> None:
    outcome = run(build.odt(_CHANGES).bytes(), "x.odt")
    assert outcome.report.findings == ()
    assert outcome.content is not None
    assert {"tracked-changes", "annotation", "change-start"} <= {node.local for node in build.walk(outcome.content.bytes())}


def test_they_go_and_changes_are_accepted() -> None:
    outcome = run(build.odt(_CHANGES).bytes(), "x.odt", comments_kept=False)
    assert [finding.code for finding in outcome.report.findings] == ["odf.comments"]
    assert outcome.content is not None
    content = build.members(outcome.content.bytes())["content.xml"].decode()
    assert "前新しい文後終" in content
    assert not any(word in content for word in ("旧い文", "意見", "田中", "tracked-changes", "annotation", "change-start"))


def test_changes_of_cells_are_accepted() -> None:
    outcome = run(build.ods(inside=_CELL_CHANGES).bytes(), "x.ods", comments_kept=False)
    assert outcome.content is not None, outcome.report.findings
    content = build.members(outcome.content.bytes())["content.xml"].decode()
    assert "旧い値" not in content
    assert "本文" in content


def test_a_document_without_any_has_nothing_to_say() -> None:
    assert run(build.odt().bytes(), "x.odt", comments_kept=False).report.findings == ()
