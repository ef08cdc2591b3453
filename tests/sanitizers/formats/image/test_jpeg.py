"""JPEG: what its segments can hold is gone; what a viewer shows is kept."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageChops

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Action, Kind, LimitExceeded, Malformed, Refused
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY
DANGERS = {
    "image.comment": build.jpeg_segment(0xFE, b"<?php " + CANARY + b"?>"),
    "image.gps": build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(gps=True, taken=None)),
    "image.metadata": build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(maker=CANARY)),
    "image.thumbnail": build.jpeg_segment(0xE0, b"JFXX\0\x10" + CANARY),
    "image.private_chunk": build.jpeg_segment(0xE9, CANARY),
    "image.color_profile": build.jpeg_segment(0xE2, b"ICC_PROFILE\0\x01\x01" + CANARY * 20),
}


def run(data: bytes, **options: object) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, Kind.JPEG, **options)
    again, second = sanitize(SANITIZER, made.content.bytes(), Kind.JPEG, **options)
    assert changes(second) == []
    assert again.kind is Kind.JPEG
    return made.content.bytes(), {finding.code for finding in changes(context)}


@pytest.mark.parametrize("code", DANGERS)
def test_each_danger_is_gone_and_named(code: str) -> None:
    output, codes = run(build.jpeg_with(DANGERS[code]))
    assert codes == {code}
    assert CANARY not in output
    assert {marker for marker, _ in build.jpeg_segments(output)} <= {0xE0, 0xE1, 0xDB, 0xC0, 0xC4, 0xD9}
    assert build.jpeg_segments(output)[-1] == (0xD9, b"")


@pytest.mark.parametrize("tail", [b"PK\x03\x04" + CANARY + b"PK\x05\x06" + bytes(18), b"<hta:application>" + CANARY, b"\0"])
def test_what_follows_the_end_is_gone(tail: bytes) -> None:
    """I01."""
    output, codes = run(build.jpeg_with(tail=tail))
    assert codes == {"image.trailing_data"}
    assert output.endswith(b"\xff\xd9")
    assert CANARY not in output


def test_xmp_iptc_mpf_and_junk_between_segments_are_gone() -> None:
    xmp = build.jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + CANARY)
    iptc = build.jpeg_segment(0xED, b"Photoshop 3.0\0" + CANARY)
    mpf = build.jpeg_segment(0xE2, b"MPF\0" + CANARY)
    output, codes = run(build.jpeg_with(xmp, iptc, mpf, CANARY))
    assert codes == {"image.metadata", "image.hidden_data"}
    assert CANARY not in output


def test_the_capture_date_stays_alone() -> None:
    block = build.exif(maker=CANARY, gps=True)
    output, codes = run(build.jpeg_with(build.jpeg_segment(0xE1, b"Exif\0\0" + block)))
    assert codes == {"image.gps", "image.metadata"}
    kept = Image.open(io.BytesIO(output)).getexif()
    assert dict(kept.get_ifd(0x8769)) == {0x9003: build.TAKEN.decode()}
    assert set(kept) == {0x8769}


def test_policy_drops_the_capture_date() -> None:
    data = build.jpeg_with(build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif()))
    kept, codes = run(data)
    assert codes == set()
    assert build.TAKEN in kept
    output, codes = run(data, capture_date_kept=False)
    assert codes == {"image.metadata"}
    assert build.TAKEN not in output


@pytest.mark.parametrize("taken", [b"<script>alert(1)</s", b"2026:13:01 00:00:00", b"0000:00:00 00:00:00"])
def test_a_date_that_is_none_is_not_kept(taken: bytes) -> None:
    output, codes = run(build.jpeg_with(build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(taken=taken))))
    assert codes == {"image.metadata"}
    assert taken not in output


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright(orientation: int) -> None:
    data = build.jpeg_with(build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(orientation, taken=None)), picture=build.soft())
    output, codes = run(data)
    assert codes == set()
    turn = [None, None, 0, 3, 1, 5, 4, 6, 2][orientation]
    upright = build.opened(data) if turn is None else build.opened(data).transpose(Image.Transpose(turn))
    shown = build.opened(output)
    assert shown.size == upright.size
    assert max(high for _, high in ImageChops.difference(shown, upright).getextrema()) < 16
    assert 0x0112 not in shown.getexif()


def test_resolution_is_kept_and_turned() -> None:
    turned = build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(6, taken=None))
    output, _ = run(build.jpeg_with(turned, dpi=(300, 150)))
    assert build.opened(output).info["dpi"] == (150, 300)


def test_quality_and_sampling_are_kept() -> None:
    for quality, sampling in ((60, 2), (85, 1), (95, 0)):
        data = build.saved(build.soft(), "JPEG", quality=quality, subsampling=sampling)
        output, _ = run(data)
        before, after = build.opened(data), build.opened(output)
        assert after.quantization == before.quantization
        assert [layer[1:3] for layer in after.layer] == [layer[1:3] for layer in before.layer]
        assert len(output) < 1.2 * len(data)


def test_a_foreign_profile_is_applied_and_one_of_srgb_is_not() -> None:
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    output, codes = run(build.saved(red, "JPEG", quality=95, icc_profile=build.display_profile()))
    assert codes == {"image.color_profile"}
    pixel = build.opened(output).getpixel((30, 30))
    assert pixel[1] > 200 > 60 > pixel[0]
    output, codes = run(build.saved(red, "JPEG", quality=95, icc_profile=build.srgb_profile()))
    assert codes == set()
    assert b"ICC_PROFILE" not in output


def test_the_action_of_a_profile_says_what_happened() -> None:
    applied, broken = build.display_profile(), b"\0" * 200
    for profile, action in ((applied, Action.REWRITTEN), (broken, Action.REMOVED)):
        _, context = sanitize(SANITIZER, build.saved(build.scene(), "JPEG", icc_profile=profile), Kind.JPEG)
        assert [(finding.code, finding.action) for finding in changes(context)] == [("image.color_profile", action)]


def test_a_quantiser_table_spells_nothing() -> None:
    """I04: 64 bytes of text in a table would come out as they went in."""
    text = (CANARY * 4)[:64]
    data = bytearray(build.jpeg_with())
    at = data.index(b"\xff\xdb")
    data[at + 5 : at + 69] = text
    output, _ = run(bytes(data))
    assert CANARY[:8] not in output


def test_coded_data_that_speaks_is_coded_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """I04: with these pixels the usual coding spells mark-up; the delivered one does not."""
    data = build.saved(build.noise((64, 64)), "JPEG", quality=90)
    usual, _ = run(data)
    spelled = usual[-200:-190]
    real = codec.speaks
    monkeypatch.setattr(codec, "speaks", lambda found: spelled in found or real(found))
    output, _ = run(data)
    assert spelled not in output
    monkeypatch.setattr(codec, "speaks", lambda found: True)
    with pytest.raises(Malformed) as refusal:
        sanitize(SANITIZER, data, Kind.JPEG)
    assert refusal.value.code == "image.active_text"


def test_a_missing_end_is_tolerated_a_missing_half_is_not() -> None:
    data = build.saved(build.scene((128, 128)), "JPEG", quality=90)
    output, _ = run(data[:-2])
    assert build.opened(output).size == (128, 128)
    with pytest.raises(Refused):
        run(data[: len(data) * 2 // 3])


def test_endless_scans_are_refused() -> None:
    data = build.saved(build.scene(), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    scan = data[at:-2]
    with pytest.raises(LimitExceeded):
        run(data[:-2] + scan * 200 + b"\xff\xd9")


def test_a_frame_of_65535_squared_is_refused_before_decoding() -> None:
    data = bytearray(build.jpeg_with())
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 65_500, 65_500)
    with pytest.raises(LimitExceeded):
        run(bytes(data))
