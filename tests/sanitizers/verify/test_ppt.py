"""The second opinion on presentations of PowerPoint 97: the last revision's words, found by a walk of its own."""

from __future__ import annotations

import struct

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import ppt
from tests.build import ppt as build
from tests.build.context import context


def streams(*parts: bytes) -> dict[str, bytes]:
    made, user = build.stream(*parts)
    return {"PowerPoint Document": made, "Current User": user}


SHOWN = streams(build.document(1), build.master(), build.slide())


def opinion(monkeypatch: pytest.MonkeyPatch, made: dict[str, bytes], given: dict[str, bytes]) -> None:
    """Of streams that compound files would have, whatever records stand in them."""
    answers = iter((made, given))
    monkeypatch.setattr(ppt, "_streams", lambda _source: next(answers))
    monkeypatch.setattr(ppt, "_check_records", lambda _stream, _context: None)
    ppt.verify(Source(b""), Source(b""), context())


def test_the_same_show_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    opinion(monkeypatch, SHOWN, SHOWN)
    opinion(monkeypatch, SHOWN, {name.upper(): data for name, data in SHOWN.items()})


def test_a_locked_original_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    user = bytearray(SHOWN["Current User"])
    user[12:16] = b"\xdf\xc4\xd1\xf3"
    opinion(monkeypatch, SHOWN, {"Current User": bytes(user)})


@pytest.mark.parametrize("given", [{}, {"Current User": b""}, {**SHOWN, "Current User": bytes(20)}, {**SHOWN, "PowerPoint Document": b""}])
def test_an_original_whose_show_cannot_be_found_is_refused(given: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VerificationFailed, match=r"what it shows|slides before"):
        opinion(monkeypatch, SHOWN, given)


def test_revisions_in_a_circle_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppt, "_MOST_REVISIONS", 50)
    whole = SHOWN["PowerPoint Document"]
    (edit,) = struct.unpack_from("<I", SHOWN["Current User"], 16)
    circle = bytearray(whole)
    struct.pack_into("<I", circle, edit + 16, edit)
    assert ppt._show({**SHOWN, "PowerPoint Document": bytes(circle)}) == ppt._show(SHOWN)


@pytest.mark.parametrize("error", [OSError, KeyError, IndexError, ValueError, struct.error])
def test_whatever_olefile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_file: object) -> None:
        raise error("x")

    monkeypatch.setattr(ppt.olefile, "OleFileIO", stumble)
    with pytest.raises(VerificationFailed, match="olefile"):
        ppt._streams(Source(b""))
