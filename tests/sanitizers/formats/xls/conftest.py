"""Workbooks and pictures are at the engine's hand, whatever else is."""

from __future__ import annotations

import pytest

from sanitizers.formats import BY_KIND, xls


@pytest.fixture(autouse=True)
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in xls.SANITIZER.kinds:
        monkeypatch.setitem(BY_KIND, kind, xls.SANITIZER)
