"""Compound files as the second opinions see them."""

from __future__ import annotations

import struct

import olefile
import pytest

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound
from tests.build import cfb

BROKEN = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def test_all_streams_are_read_with_the_storages_they_lie_in() -> None:
    given = Source(cfb.compound({"Text": b"abc", "Storage/x": b"y", "Storage/Inner/z": b""}))
    assert compound.streams(given) == {"Text": b"abc", "Storage": b"", "Storage/x": b"y", "Storage/Inner": b"", "Storage/Inner/z": b""}


@pytest.mark.parametrize("data", [b"", b"PK", BROKEN])
def test_what_olefile_cannot_read_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match="olefile"):
        compound.streams(Source(data))


@pytest.mark.parametrize("error", [OSError, KeyError, IndexError, ValueError, struct.error])
def test_whatever_olefile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_file: object) -> None:
        raise error("x")

    monkeypatch.setattr(olefile, "OleFileIO", stumble)
    with pytest.raises(VerificationFailed, match=f"olefile: {error.__name__}"):
        compound.streams(Source(b""))


def test_what_the_block_stumbles_over_is_a_refusal_too() -> None:
    with pytest.raises(VerificationFailed, match="olefile"), compound.opened(Source(cfb.compound({"A": b"x"}))) as found:
        found.openstream("B")
