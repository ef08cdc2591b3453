"""What comes out of the jail of previews: within its bounds, and showing what it says."""

from __future__ import annotations

import msgspec
import pytest

from sanitizers import preview_words
from sanitizers.preview_words import (
    LONGEST_LINE,
    MOST_LINES,
    MOST_OCTETS,
    MOST_PARTS,
    TALLEST,
    WIDEST,
    Gist,
    Look,
    Piece,
    Shown,
    View,
    decode,
    encode,
    line,
    lines,
    octets,
)

_PIECE = Piece(part=(0,), name="a", kind="pdf", size=1, sha256="0" * 64)


def test_what_is_shown_comes_back_as_it_was_said() -> None:
    shown = Shown(name="表.pdf", kind="pdf", size=3, sha256="a" * 64, pages=2, drawn=(2, 3), lines=("一", "二"), octets=b"\0\xff", parts=(_PIECE,))
    assert decode(encode(shown), 18) == shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": ["x"] * (MOST_LINES + 1)},
        {"lines": ["x" * (LONGEST_LINE + 1)]},
        {"parts": [msgspec.to_builtins(_PIECE)] * (MOST_PARTS + 1)},
        {"parts": [msgspec.to_builtins(_PIECE) | {"sha256": "x" * 64}]},
        {"parts": [msgspec.to_builtins(_PIECE) | {"part": [0] * 9}]},
        {"drawn": [WIDEST + 1, 1]},
        {"drawn": [1, TALLEST + 1]},
        {"drawn": [0, 5]},
        {"pages": -1},
        {"sha256": "<script>"},
        {"fault": "x" * 41},
        {"octets": "A" * (2 * MOST_OCTETS)},
        {"difference": {"changes": [{"sign": "<", "text": ""}]}},
        {"difference": {"alike": [1.5]}},
        {"lines": "not a list"},
        {"gist": {"pages": ["A" * (2 << 20)]}},
    ],
)
def test_nothing_beyond_the_bounds_is_believed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(msgspec.json.encode(wrong), 0)


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{", b"\xff\xfe", b'{"lines":["\xff"]}', b"[" * 100_000])
def test_garbage_is_a_value_error(garbage: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(garbage, 0)


@pytest.mark.parametrize("size", [0, 17, 19, 1 << 31])
def test_a_picture_has_just_the_pixels_that_it_announces(size: int) -> None:
    with pytest.raises(ValueError, match="another size"):
        decode(encode(Shown(drawn=(2, 3))), size)


def test_pixels_that_nobody_announced_are_not_believed() -> None:
    with pytest.raises(ValueError, match="another size"):
        decode(encode(Shown()), 3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("普通の行", "普通の行"),
        ("外字\ue000と全角　空白", "外字\ue000と全角　空白"),
        ("a\tb\u00a0c", "a b c"),
        ("請求書\u202egpj.exe", "請求書[U+202E]gpj.exe"),
        ("bell\x07null\0", "bell[U+0007]null[U+0000]"),
        ("zero\u200bwidth\ufeff", "zero[U+200B]width[U+FEFF]"),
        ("half\ud800", "half[U+D800]"),
    ],
)
def test_a_line_shows_what_it_says(text: str, shown: str) -> None:
    assert line(text) == shown
    assert decode(encode(Shown(lines=(line(text),))), 0).lines == (shown,)


def test_long_lines_and_many_are_cut_within_the_bounds() -> None:
    assert len(line("\0" * 5_000)) <= LONGEST_LINE
    found, cut = lines("x\n" * (MOST_LINES + 5))
    assert (len(found), cut) == (MOST_LINES, True)
    assert lines("a\nb") == (("a", "b"), False)
    assert lines("") == ((), False)
    decode(encode(Shown(lines=lines("y" * 10_000_000)[0])), 0)


def test_octets_are_told_sixteen_in_a_row() -> None:
    rows = octets(Shown(octets=bytes(range(40, 60))), 256)
    assert [row[0] for row in rows] == ["00000100", "00000110"]
    assert rows[0][1].split() == [f"{number:02x}" for number in range(40, 56)]
    assert rows[1] == ("00000110", "38 39 3a 3b", "89:;")
    assert octets(Shown(octets=b"<\0\xff>"), 0)[0][2] == "<..>"


def test_a_look_is_bounded_too() -> None:
    for asked in ({"view": "content", "width": WIDEST + 1}, {"view": "nothing"}, {"view": "page", "page": -1}, {"view": "content", "part": [9_999]}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(asked, Look)
    assert preview_words.key(Look(view=View.PAGE, page=1)) != preview_words.key(Look(view=View.PAGE, page=2))
    assert preview_words.key(Look(view=View.DIFFERENCE, before=Gist(lines=("a",)))) != preview_words.key(Look(view=View.DIFFERENCE))
