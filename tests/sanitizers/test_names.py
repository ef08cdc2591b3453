"""Names stay readable Japanese, lose what is harmful, and tell the true kind."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings, strategies

from sanitizers import names
from sanitizers.model import EXTENSIONS, Kind, Malformed
from tests.build.archive import JAPANESE_NAMES


@pytest.mark.parametrize("name", JAPANESE_NAMES)
def test_a_japanese_name_stays_as_it_is(name: str) -> None:
    assert names.safe(name) == name
    assert names.safe_path(f"資料/{name}") == names.Path(f"資料/{name}", "", climbs=False)


@pytest.mark.parametrize("name", JAPANESE_NAMES)
def test_a_japanese_name_is_decoded_from_whatever_it_was_written_in(name: str) -> None:
    assert names.decode_zip(name.encode(), utf8=True, unicode_path=None) == name
    assert names.decode_zip(name.encode(), utf8=False, unicode_path=None) == name
    assert names.decode_zip(b"mojibake", utf8=False, unicode_path=name) == name
    try:
        cp932 = name.encode("cp932")
    except UnicodeEncodeError:  # 𠮷, 葛 with its variation selector
        return
    # Windows writes 〜 (U+301C) and ～ (U+FF5E) with the same bytes: what it reads back is the latter
    assert names.decode_zip(cp932, utf8=False, unicode_path=None) == name.replace("\u301c", "\uff5e")


@pytest.mark.parametrize("name", JAPANESE_NAMES)
def test_a_mac_name_is_composed(name: str) -> None:
    decomposed = unicodedata.normalize("NFD", name)
    again = names.decode_zip(decomposed.encode(), utf8=True, unicode_path=None)
    assert unicodedata.normalize("NFC", again) == unicodedata.normalize("NFC", name)
    if not any("\uf900" <= char <= "\ufaff" or char == "\u212b" for char in name):  # a Mac has already replaced these
        assert again == name


def test_a_5c_byte_is_not_a_separator() -> None:
    raw = "ソ表能/予定表.txt".encode("cp932")
    assert b"\\" in raw
    assert names.safe_path(names.decode_zip(raw, utf8=False, unicode_path=None)).path == "ソ表能/予定表.txt"


def test_unknown_encoding_is_said_to_be_a_guess() -> None:
    assert names.decode_unmarked(b"\xfd\xff.txt")[1]
    assert not names.decode_unmarked("日本.txt".encode("euc_jp"))[1]


def test_euc_name_that_is_no_cp932_is_read() -> None:
    assert names.decode_unmarked("日本語の書類.txt".encode("euc_jp")) == ("日本語の書類.txt", False)


@pytest.mark.parametrize(("raw", "utf8", "path"), [(b"\xff", True, None), (b"a\0b", False, None), (b"a", True, "b"), (b"a", False, "\0")])
def test_contradictory_names_are_refused(raw: bytes, utf8: bool, path: str | None) -> None:
    with pytest.raises(Malformed):
        names.decode_zip(raw, utf8, path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("a\u200bb\u2060c\ufeff.txt", "abc.txt"),
        ("a\x00\x1f\x7f.txt", "a.txt"),
        ("con", "_con"),
        ("CON.txt", "_CON.txt"),
        ("com¹.log", "_com¹.log"),
        ("nul .txt", "_nul .txt"),
        ("a.txt. . ", "a.txt"),
        ("a.txt:hidden.exe", "a.txt_hidden.exe"),
        ('<>"|?*.txt', "______.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.doc", "x.doc"),
        ("", "file"),
        ("...", "file"),
        ("\u200b", "file"),
        ("a\u3164b\uffa0\u2800.txt", "ab.txt"),
        ("a\u00a0\u2028b.txt", "a  b.txt"),
        ("葛\U000e0100城.txt", "葛\U000e0100城.txt"),
        ("a\U000e0100\U000e0101.txt", "a.txt"),
        ("令和６年　度.txt", "令和６年　度.txt"),
        ("外字\ue000.txt", "外字\ue000.txt"),
        ("Å神朗.txt".replace("Å", "\u212b"), "\u212b神朗.txt"),
    ],
)
def test_safe(name: str, expected: str) -> None:
    assert names.safe(name) == expected


def test_the_longest_name_fits_every_disk() -> None:
    """NAME_MAX is 255 bytes, MAX_PATH of Windows 260 characters."""
    assert (names.LONGEST, names.DEEPEST) == (200, 64)
    assert len(names.safe("x" * 300)) == 200
    assert names.safe_path("/".join("d" * 64)) == names.Path("/".join("d" * 64), "", climbs=False)
    assert names.safe_path("/".join("d" * 65)).why == "too deep"


@pytest.mark.parametrize(("fallback", "expected"), [("添付.bin", "添付.bin"), ("", "file"), ("\u200b", "file"), ("a/b", "a_b")])
def test_a_name_of_which_nothing_is_left(fallback: str, expected: str) -> None:
    assert names.safe("..", fallback) == expected


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    made = names.safe("あ" * 300 + ".docx")
    assert len(made.encode()) <= names.LONGEST
    assert made.endswith("あ.docx")


@pytest.mark.parametrize(
    ("path", "expected", "why", "climbs"),
    [
        ("a/b.txt", "a/b.txt", "", False),
        ("./a//b.txt", "a/b.txt", "", False),
        ("/etc/x", "etc/x", "absolute path", False),
        ("C:\\x\\y.txt", "x/y.txt", "drive", False),
        ("c:y.txt", "y.txt", "drive", False),
        ("\\\\server\\share\\x", "server/share/x", "network path", False),
        ("../x", "x", "parent folder", True),
        ("a/../../x", "a/x", "parent folder", True),
        ("a\\..\\x", "a/x", "parent folder", True),
        ("a/.. /x", "a/x", "parent folder", True),
        ("a/con/x", "a/_con/x", "unsafe name", False),
        ("a/. /x", "a/x", "unsafe name", False),
        ("a./x", "a/x", "unsafe name", False),
        ("\u202e/x", "x", "unsafe name", False),
        ("/", "", "absolute path", False),
    ],
)
def test_safe_path(path: str, expected: str, why: str, climbs: bool) -> None:
    assert names.safe_path(path) == names.Path(expected, why, climbs)


def test_a_very_deep_path_is_cut() -> None:
    made = names.safe_path("/".join(["d"] * 500 + ["x.txt"]))
    assert made.path.count("/") < names.DEEPEST
    assert made.path.endswith("x.txt")
    assert made.why


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("form.docm", Kind.DOCX, "form.docx"),
        ("form.docx", Kind.DOCX, "form.docx"),
        ("PHOTO.JPEG", Kind.JPEG, "PHOTO.JPEG"),
        ("photo.heic", Kind.JPEG, "photo.jpg"),
        ("invoice.pdf.exe", Kind.PDF, "invoice.pdf"),
        ("invoice.pdf.exe. ", Kind.PDF, "invoice.pdf"),
        ("報告", Kind.PDF, "報告.pdf"),
        ("報告.2024", Kind.PDF, "報告.2024.pdf"),
        ("第1.2版 資料", Kind.PDF, "第1.2版 資料.pdf"),
        ("pack.tar.xz", Kind.ZIP, "pack.zip"),
        ("pack.lzh", Kind.ZIP, "pack.zip"),
        ("pack.tar.gz", Kind.GZ, "pack.tar.gz"),
        ("pack.tar.xz", Kind.PDF, "pack.tar.pdf"),
        ("v1.2/readme", Kind.TEXT, "v1.2/readme.txt"),
        (".exe", Kind.TEXT, ".exe.txt"),
        ("x.library-ms", Kind.XML, "x.xml"),
        ("x．exe", Kind.TEXT, "x．exe.txt"),
        ("x.bin", Kind.UNKNOWN, "x.bin"),
    ],
)
def test_with_extension(name: str, kind: Kind, expected: str) -> None:
    assert names.with_extension(name, kind) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("a.TXT", "txt"), ("a", ""), ("a.b/c", ""), ("a.exe. .", "exe"), ("x.tar.gz", "gz"), (".lnk", "lnk")]
)
def test_extension(name: str, expected: str) -> None:
    assert names.extension(name) == expected


def test_numbered_gives_every_path_its_own_name() -> None:
    taken: dict[str, int] = {}
    assert [names.numbered(path, taken) for path in ("d/a.docx", "d/A.docx", "d/a.docx", "b", "b")] == [
        "d/a.docx", "d/A (2).docx", "d/a (3).docx", "b", "b (2)",
    ]  # fmt: skip


@given(strategies.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_what_is_safe_stays_as_it_is(name: str) -> None:
    once = names.safe(name)
    assert names.safe(once) == once
    assert 0 < len(once.encode()) <= names.LONGEST
    assert not set(once) & set('/\\<>:"|?*')
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in once)
    assert once == once.rstrip(". ")


@given(strategies.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_safe_path_needs_no_second_cleaning(path: str) -> None:
    made = names.safe_path(path)
    if made.path:
        assert names.safe_path(made.path) == names.Path(made.path, "", climbs=False)


@given(strategies.text(min_size=1, max_size=30), strategies.sampled_from(sorted(EXTENSIONS)))
@settings(max_examples=200, deadline=None)
def test_an_extension_always_tells_the_kind(name: str, kind: Kind) -> None:
    told = names.with_extension(names.safe(name), kind)
    assert names.extension(told) in EXTENSIONS[kind]
    assert names.with_extension(told, kind) == told


@pytest.mark.parametrize("name", ["ﾃｨ.txt", "ﾃﾞｨ.txt", "ﾃｨﾂｨ.txt"])
def test_half_width_kana_that_could_be_accents_are_kana(name: str) -> None:
    assert names.decode_unmarked(name.encode("cp932")) == (name, False)


@pytest.mark.parametrize("name", ["a/", "a/..", ". ", ""])
def test_what_names_no_file_gets_no_extension(name: str) -> None:
    assert names.with_extension(name, Kind.PDF) == name


def test_paths_that_fall_together_have_one_key() -> None:
    for one, other in (("a/b/../c", "a/c"), ("a./b ", "A/B"), ("../x", "x"), ("a\\b", "a/b"), ("a//b", "a/b"), ("が", "か\u3099"), ("ẞ", "ss")):
        assert names.key(one) == names.key(other)
    assert names.key("a/b") != names.key("a/c")


def test_a_long_end_is_no_extension() -> None:
    made = names.shortened("あ" * 100 + "." + "x" * 21, 100)
    assert made == "あ" * 33
    assert names.shortened("あ" * 100 + "." + "x" * 20, 100) == "あ" * 26 + "." + "x" * 20
    assert names.shortened("." + "x" * 120, 100) == "." + "x" * 99
    assert names.shortened("x" * 100, 100) == "x" * 100
    assert names.shortened("あ.txt", 6) == "_.txt"


@pytest.mark.parametrize("mark", ["\u3099", "\U000e0100", "\ufe0f"])
def test_a_name_is_not_cut_between_a_character_and_its_mark(mark: str) -> None:
    assert names._cut(f"ab葛{mark}x", 5) == "ab"
    assert names._cut(f"ab葛{mark}x", 5 + len(mark.encode())) == f"ab葛{mark}"
    assert names._cut("葛" + mark, 3) == ""


def test_of_a_path_that_is_too_deep_the_beginning_and_the_name_stay() -> None:
    parts = [str(number) for number in range(70)]
    assert names.safe_path("/".join(parts)) == names.Path("/".join([*parts[:63], "69"]), "too deep", climbs=False)
    assert names.safe_path("/" + "/".join(parts)).why == "absolute path"


def test_a_number_that_was_given_is_taken() -> None:
    taken: dict[str, int] = {}
    assert [names.numbered(path, taken) for path in ("a.txt", "a.txt", "a (2).txt", "a.txt")] == ["a.txt", "a (2).txt", "a (2) (2).txt", "a (3).txt"]


def test_what_is_sure_is_no_guess() -> None:
    assert names.decode_unmarked(b"a.txt") == ("a.txt", False)
    assert names.decode_unmarked("日本.txt".encode()) == ("日本.txt", False)
    assert names.decode_zip(b"a", utf8=True, unicode_path="a") == "a"


def test_singletons_stay_among_what_is_composed() -> None:
    assert names.compose("か\u3099\u212bか\u3099") == "が\u212bが"


@pytest.mark.parametrize(("name", "expected"), [("a\ud800b", "a_b"), ("a\u0378b", "a_b"), ("a\u2029b", "a b"), ("a\u2028b", "a b"), ("a\u00a0b", "a b")])
def test_signs_without_a_meaning_and_blanks(name: str, expected: str) -> None:
    assert names.safe(name) == expected


@pytest.mark.parametrize("before", ["葛", "☺", "∑", "‼", "1"])
def test_a_selector_stays_behind_what_it_can_belong_to(before: str) -> None:
    assert names.safe(f"{before}\ufe0f.txt") == f"{before}\ufe0f.txt"
    assert names.safe("\ufe0fa.txt") == "a.txt"
    assert names.safe("a\ufe0f.txt") == "a.txt"


@pytest.mark.parametrize("name", ["Ä", "Ä.txt", "Übersicht", "ﾃｽﾄ資料", "あい", "é漢"])
def test_utf8_that_is_no_half_width_kana_is_utf8(name: str) -> None:
    assert names.decode_unmarked(name.encode()) == (name, False)


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("a .txt", 6, "a .txt"), ("a .txt", 5, "a.txt"), (".profile", 5, ".prof"), ("\u0301\u0301.txt", 5, "_.txt"), ("報告.txt", 9, "報.txt")],
)
def test_shortened(name: str, size: int, expected: str) -> None:
    assert names.shortened(name, size) == expected
