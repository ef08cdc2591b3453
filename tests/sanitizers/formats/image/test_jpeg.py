"""JPEG: what its segments can hold is gone; what a viewer shows is kept."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageChops

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Action, Kind, LimitExceeded, Malformed, Refused, Unsupported
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


# --- headers that lie, segment by segment ---

_ONES = bytes([1] * 64)
_DQT = build.jpeg_segment(0xDB, b"\0" + _ONES), build.jpeg_segment(0xDB, b"\1" + _ONES)
_FRAME = struct.pack(">BHHB", 8, 8, 8, 3) + bytes((1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1))
_CODES = b"".join(build.jpeg_segment(0xC4, bytes((place, 1)) + bytes(16)) for place in (0x00, 0x10))      # one code of one bit: 0


def _scan(component: int) -> bytes:
    """One block of nothing."""
    return build.jpeg_segment(0xDA, bytes((1, component, 0, 0, 63, 0))) + b"\x3f"


def _flat(*, frame: bytes = _FRAME, before: bytes = _DQT[1], between: bytes = b"", marker: int = 0xC0) -> bytes:
    """Eight grey pixels squared in three scans. `between`: the segments after the first."""
    start = b"\xff\xd8" + _DQT[0] + before + build.jpeg_segment(marker, frame) + _CODES
    return start + _scan(1) + between + _scan(2) + _scan(3) + b"\xff\xd9"


def test_three_scans_make_one_picture() -> None:
    output, codes = run(_flat())
    assert codes == set()
    assert build.opened(output).getextrema() == ((128, 128),) * 3


@pytest.mark.parametrize("between", [b"\xff\xd0", b"\xff\x01", b"\xff\xff\xff"])
def test_markers_without_a_body_are_stepped_over(between: bytes) -> None:
    assert run(_flat(before=_DQT[1] + between))[1] == set()


def _framed(precision: int = 8, height: int = 8, width: int = 8, count: int = 3, body: bytes = _FRAME[6:]) -> bytes:
    return struct.pack(">BHHB", precision, height, width, count) + body


WRONG = {
    "a table after its scan": (_flat(before=b"", between=_DQT[1]), Malformed, "image.malformed"),
    "ends after a marker": (b"\xff\xd8\xff\xe0\0", Malformed, "image.truncated"),
    "ends inside a segment": (b"\xff\xd8\xff\xe0\0\x40JFIF", Malformed, "image.truncated"),
    "a segment of no length": (b"\xff\xd8\xff\xe0\0\1" + bytes(40), Malformed, "image.truncated"),
    "nothing but a beginning": (b"\xff\xd8" + bytes(40), Malformed, "image.truncated"),
    "nothing but an end": (b"\xff\xd8\xff\xd9" + bytes(40), Malformed, "image.truncated"),
    "height told later": (_flat(between=build.jpeg_segment(0xDC, b"\0\x08")), Unsupported, "file.unsupported_kind"),
    "hierarchical": (_flat(marker=0xC5), Unsupported, "file.unsupported_kind"),
    "lossless, arithmetic": (_flat(marker=0xCB), Unsupported, "file.unsupported_kind"),
    "twelve bits": (_flat(frame=_framed(12)), Unsupported, "file.unsupported_kind"),
    "two beginnings": (_flat(before=_DQT[1] + b"\xff\xd8\0\2"), Malformed, "image.malformed"),
    "a marker of no meaning": (_flat(before=_DQT[1] + build.jpeg_segment(0xF7, b"")), Malformed, "image.malformed"),
    "two frames": (_flat(before=_DQT[1] + build.jpeg_segment(0xC0, _FRAME)), Malformed, "image.malformed"),
    "a short frame header": (_flat(frame=_FRAME[:5]), Malformed, "image.malformed"),
    "more components than told": (_flat(frame=_framed(count=4)), Malformed, "image.malformed"),
    "two components": (_flat(frame=_framed(count=2, body=_FRAME[6:12])), Malformed, "image.malformed"),
    "no width": (_flat(frame=_framed(width=0)), Malformed, "image.malformed"),
    "no height": (_flat(frame=_framed(height=0)), Malformed, "image.malformed"),
    "a scan before the frame": (b"\xff\xd8" + _DQT[0] + _CODES + _scan(1) + build.jpeg_segment(0xC0, _FRAME), Malformed, "image.malformed"),
    "a component that is not there": (_flat().replace(bytes((1, 3, 0, 0, 63, 0)), bytes((1, 9, 0, 0, 63, 0))), Malformed, "image.decoder"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_header_that_lies_is_refused(what: str) -> None:
    data, refused, code = WRONG[what]
    with pytest.raises(Refused) as refusal:
        sanitize(SANITIZER, data, Kind.JPEG)
    assert (type(refusal.value), refusal.value.code) == (refused, code)


def test_a_missing_end_without_a_row_to_judge_by_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        run(_flat()[:-2])
    assert refusal.value.code == "image.truncated"


@pytest.mark.parametrize(
    ("segment", "code"),
    [
        (build.jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + CANARY), "image.private_chunk"),
        (build.jpeg_segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\3" + CANARY), "image.thumbnail"),
        (build.jpeg_segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0" + CANARY), "image.hidden_data"),
    ],
)
def test_what_stands_behind_a_known_segment_is_gone(segment: bytes, code: str) -> None:
    output, codes = run(build.jpeg_with(segment))
    assert codes == {code}
    assert CANARY not in output
