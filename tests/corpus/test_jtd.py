"""The real 一太郎 documents: delivered with their words, sizes that agree with the table of streams, and nothing of their author."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import olefile
import pytest

from sanitizers.verify import jtd as opinion
from tests.corpus.conftest import CORPUS, Run

pytestmark = pytest.mark.corpus

WORDS = ("テスト", "一太郎", "シート1")


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith("jp-formats/") and Path(row["path"]).suffix in (".jtd", ".jtdc", ".jtt", ".jttc")]


def test_they_are_delivered(corpus_run: Run) -> None:
    rows = _rows(corpus_run)
    if not rows:
        pytest.skip("no such documents in this corpus")
    assert {Path(row["path"]).name: row["reason"] for row in rows if row["output"] is None} == {}
    for row in rows:
        assert row["output"]["path"].endswith(".jtd")
        assert "jtd.values_kept" in {one["code"] for one in row["findings"]}


def test_words_stay_and_authors_go(corpus_run: Run) -> None:
    for row in _rows(corpus_run):
        made = corpus_run.output / row["output"]["path"]
        with olefile.OleFileIO(str(made)) as compound:
            streams = {"/".join(path): compound.openstream(path).read() for path in compound.listdir()}
        said = b"".join(run for _, run in opinion.runs(streams["DocumentText"]))
        assert all(word.encode("utf-16-be") in said for word in WORDS), made
        assert not any(author in content for content in streams.values() for author in (b"Admin", "Admin".encode("utf-16-le"))), made
        assert dict(opinion._listed(streams[opinion._TABLE])) == {name: len(content) for name, content in streams.items() if name != opinion._TABLE}
        assert (CORPUS / row["path"]).is_file()
