"""What a person may choose for one transfer, beside what policy says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy import effective, facts, load
from gateway.requests.operating import CHOSEN, Way
from gateway.road.orders import Orders
from gateway.storage.journal import Journal
from sanitizers.model import Treatment
from tests.build.transfer import transfer

STRICT = load("""
[kinds]
pdf = "pixels"
svg = "pixels"
[treatment]
comments_kept = false
link_schemes = []
picture_codes = "covered"
""")


def treated(tmp_path: Path, **chosen: object) -> Treatment:
    one = transfer()
    return Orders(Journal(tmp_path / "journal.sqlite"), STRICT).job(one, effective(STRICT, facts(one)), "", chosen=chosen).treatment


@pytest.mark.parametrize("way", [*Way])
def test_no_way_of_processing_again_is_milder_than_policy(tmp_path: Path, way: Way) -> None:
    made = treated(tmp_path, **CHOSEN[way])
    assert made.pdf_strict_pixels
    assert made.svg_as_pixels
    assert not made.comments_kept
    assert (made.link_schemes, made.picture_codes) == ((), "covered")


def test_what_is_stricter_than_policy_counts_and_so_does_who_confirms(tmp_path: Path) -> None:
    assert not treated(tmp_path).low_bits_cleared
    assert treated(tmp_path, low_bits_cleared=True).low_bits_cleared
    assert treated(tmp_path, confirmed_by="kacho").confirmed_by == "kacho"
