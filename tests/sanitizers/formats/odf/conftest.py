"""OpenDocument and pictures are at the engine's hand, whatever else is."""

from __future__ import annotations

import pytest

from sanitizers.formats import BY_KIND, image, odf
from sanitizers.verify import VERIFIERS
from sanitizers.verify import image as image_opinion
from sanitizers.verify import odf as opinion


@pytest.fixture(autouse=True)
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (image.SANITIZER, odf.SANITIZER):
        for kind in one.kinds:
            monkeypatch.setitem(BY_KIND, kind, one)
    for kind, verifier in {**image_opinion.VERIFIERS, **opinion.VERIFIERS}.items():
        monkeypatch.setitem(VERIFIERS, kind, verifier)
