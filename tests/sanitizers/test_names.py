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
