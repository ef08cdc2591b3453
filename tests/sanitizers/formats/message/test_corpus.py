"""Every mail and page of the shared corpus is delivered, or held for a reason that is not ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sanitizers.model import Verdict
from tests.build import message as build
from tests.build.context import run

CORPUS = Path(os.environ.get("SEKISHO_CORPUS", Path(__file__).parents[5] / "shared" / "corpus"))
FILES = [path for kind in ("mail", "html") for path in sorted((CORPUS / kind).rglob("*")) if path.is_file()]


@pytest.mark.corpus
@pytest.mark.skipif(not FILES, reason="no corpus here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_corpus_file_is_delivered_whole(path: Path) -> None:
    with build.registered():
        outcome = run(path.read_bytes(), path.name)
    assert outcome.report.verdict in (Verdict.CLEAN, Verdict.SANITIZED)
    assert outcome.content is not None
    if path.suffix == ".eml":
        assert "\ufffd" not in build.read_text(outcome.content.bytes())
