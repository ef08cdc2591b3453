"""Each rule of the guessing: what the bytes are taken for under a right, a wrong or no label, and where one rule ends and the next begins."""

from __future__ import annotations

import pytest

from sanitizers import charset
from sanitizers.charset import JIS, Decoded, canonical, decode, decode_html, encode
from sanitizers.jis import decode_euc

_UNDECLARED = (None, "us-ascii", "iso-2022-jp")


def _sjis(text: str) -> bytes:
    return text.encode("cp932")


def _euc(text: str) -> bytes:
    return text.encode("euc_jp")


# ------------------------------------------------------------------------------------------------- marks and seven bits


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("label", [None, "shift_jis", "utf-16", "utf-8", "iso-8859-1"])
def test_a_mark_settles_it(codec: str, label: str | None) -> None:
    data = "\ufeff市役所 abc".encode(codec)
    assert decode(data, label) == ("市役所 abc", codec, 0)
    assert decode(data + b"\xe5", label) == ("市役所 abc〓", codec, 1)      # cut within a character


@pytest.mark.parametrize(
    ("data", "label", "expected"),
    [
        (b"plain", "iso-2022-jp", ("plain", "us-ascii", 0)),
        (b"a \x1b[1m b", "iso-2022-jp", ("a \x1b[1m b", JIS, 0)),
        (b"a \x1b[1m b", None, ("a \x1b[1m b", "us-ascii", 0)),
        (b"\x0e12\x0f", "shift_jis", ("\x0e12\x0f", "us-ascii", 0)),
        (b"\x1b$B4A\x1b(B + ~{ab", "utf-7", ("漢 + ~{ab", JIS, 0)),
        (b"\x1b$B4A\x1b(B\0", "utf-16", ("漢\0", JIS, 0)),
        (b"\x1b$B4A\x1b(B\xc4\xab", "iso-2022-kr", ("漢ﾄｫ", JIS, 0)),
        (b"plain", "iso-2022-kr", ("plain", "iso2022-kr", 0)),
        (b"plain", "utf-7", ("plain", "us-ascii", 0)),
        (b"1 +AOk-", "utf-7", ("1 é", "utf-7", 0)),
        (b"a~{VPND~}", "utf-7", ("a~{VPND~}", "us-ascii", 0)),
        (b"plain", "hz", ("plain", "us-ascii", 0)),
        (b"a~{VPND~}", "hz", ("a中文", "hz", 0)),
        (b"a~{VPND~}", None, ("a~{VPND~}", "us-ascii", 0)),
        (b"1 + ~ 2", "shift_jis", ("1 + ~ 2", "us-ascii", 0)),
        (b"a\0b", "shift_jis", ("a\0b", "us-ascii", 0)),
        (b"plain!", "utf-16", ("plain!", "us-ascii", 0)),
        (b"+2AA-", "utf-7", ("〓", "utf-7", 1)),       # half of a pair
    ],
)
def test_seven_bits(data: bytes, label: str | None, expected: tuple[str, str, int]) -> None:
    assert decode(data, label) == expected


# ------------------------------------------------------------------------------------------------------------- UTF-16, UTF-32


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["No 1", "区民税 12"])
def test_a_label_of_wide_text_is_believed(codec: str, text: str) -> None:
    assert decode(text.encode(codec), codec) == (text, codec, 0)
    assert decode(text.encode(codec), codec[:6]) == (text, codec, 0)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("text", "is_wide"),
    [
        ("a", False),
        ("ab", True),
        ("abc" + "税" * 7, False),         # three of ten are not enough
        ("abcd" + "税" * 6, True),
        ("a" * 19 + "\u4e00", False),      # one NUL on the other side
        ("a" * 20 + "\u4e00", True),
        ("a" * 40 + "\u4e00\u4e00", True),
        ("a" * 39 + "\u4e00\u4e00", False),
        ("税" * 10, False),
    ],
)
def test_how_much_ascii_shows_wide_text(codec: str, text: str, is_wide: bool) -> None:
    data = text.encode(codec)
    assert (charset._unmarked_wide(data) is not None) is is_wide
    if is_wide:
        assert decode(data) == (text, codec, 0)


def test_wide_text_has_an_even_number_of_bytes() -> None:
    assert decode(b"a\0b\0c") == ("a\0b\0c", "us-ascii", 0)
    assert decode(b"a\0b\0c\0\xe9") == ("a\0b\0c\0é", "cp1252", 0)


# ------------------------------------------------------------------------------------------------------ UTF-8 and its likes


@pytest.mark.parametrize(
    ("label", "data", "there", "utf8"),
    [
        ("euc-jp", _euc("続束"), "続束", "³«"),
        ("gb2312", "忙片".encode("gb2312"), "忙片", "æƬ"),
        ("big5", b"\xc4\xa4\xc4\xa5", b"\xc4\xa4\xc4\xa5".decode("big5"), "Ĥĥ"),
        ("ks_c_5601-1987", "카타".encode("cp949"), "카타", "īŸ"),
        ("shift_jis", _sjis("ﾃｨﾃ｡"), "ﾃｨﾃ｡", "èá"),
    ],
)
def test_letters_that_are_utf8_by_chance(label: str, data: bytes, there: str, utf8: str) -> None:
    assert decode(data, label).text == there
    for other in (None, "utf-8", "us-ascii", "iso-8859-1", "koi8-r"):
        assert decode(data, other) == (utf8, "utf-8", 0)
    assert decode(data + "ไทย".encode(), label) == (utf8 + "ไทย", "utf-8", 0)        # three bytes each: never by chance


def test_utf8_may_hold_what_shift_jis_may_not() -> None:
    assert decode("a\xa0b\x80 \uf8f0\ufffd".encode()) == ("a\xa0b\x80 \uf8f0\ufffd", "utf-8", 0)
    assert decode(b"\xff\xfe" + "a\ufffd".encode("utf-16-le")) == ("a\ufffd", "utf-16-le", 0)


@pytest.mark.parametrize("label", [None, "utf-8", "shift_jis"])
def test_characters_written_as_two_surrogates(label: str | None) -> None:
    assert decode(b"a\xed\xa0\xbd\xed\xb8\x80", label) == ("a😀", "utf-8", 0)


@pytest.mark.parametrize("label", [*_UNDECLARED, "utf-8"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("市役所の".encode()[:-1], ("市役所〓", "utf-8", 1)),     # three good ones for a broken one; as Shift_JIS it has a meaning, too
        ("市役所".encode()[:-1], ("蟶ょｽｹ謇", "cp932", 0)),
        ("年度の予定".encode()[:-1], ("年度の予〓", "utf-8", 1)),
        (("あいうえおか" * 3).encode() + b"\xe3\xe3\xe3\xe3\xe3\xe3", ("あいうえおか" * 3 + "〓" * 6, "utf-8", 6)),
    ],
)
def test_utf8_that_is_cut(label: str | None, data: bytes, expected: tuple[str, str, int]) -> None:
    assert decode(data, label) == expected


def test_utf8_that_is_cut_under_the_label_of_another() -> None:
    data = "年度の予定".encode()[:-1]
    assert decode(data).text == "年度の予〓"
    assert decode(data, "shift_jis") == (data.decode("cp932"), "cp932", 0)


_SAMPLE = 1 << 16


@pytest.mark.parametrize(
    ("bad", "plain", "is_utf8"),
    [
        (101, _SAMPLE - 101, False),        # the beginning settles it
        (100, _SAMPLE - 100, True),         # not enough of it
        (101, _SAMPLE - 102, False),        # the first good one is cut by the end of the beginning
        (101, 0, True),                     # good ones in the beginning, too
    ],
)
def test_the_beginning_of_a_long_text_settles_whether_it_is_utf8(bad: int, plain: int, is_utf8: bool) -> None:
    data = b"\xff" * bad + b"a" * plain + ("税" * _SAMPLE).encode()
    assert (decode(data).charset == "utf-8") is is_utf8


def test_a_long_text_that_breaks_only_after_its_beginning() -> None:
    long = _sjis("日本語の文章。" * 12000)
    assert decode(b"a" * _SAMPLE + long) == ("a" * _SAMPLE + "日本語の文章。" * 12000, "cp932", 0)


# -------------------------------------------------------------------------------------------------- Latin and other languages


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Zażółć gęślą jaźń", "iso-8859-2"), ("Ĉiuĵaŭde", "iso-8859-3"), ("Ŗīga", "iso-8859-4"), ("Привет мир", "iso-8859-5"),
        ("العربية", "iso-8859-6"), ("Ελληνικά", "iso-8859-7"), ("שלום", "iso-8859-8"), ("Güneş ığdır", "iso-8859-9"), ("Þórður á", "iso-8859-10"),
        ("ภาษาไทย", "iso-8859-11"), ("Žemė ąčę", "iso-8859-13"), ("Ŵyn ŷ", "iso-8859-14"), ("cœur €", "iso-8859-15"), ("Țară ș", "iso-8859-16"),
        ("Příliš žluťoučký", "windows-1250"), ("Привет мир", "windows-1251"), ("“naïve” café – 5 €", "windows-1252"), ("Ελληνικά €", "windows-1253"),
        ("Güneş ığdır", "windows-1254"), ("שלום", "windows-1255"), ("العربية", "windows-1256"), ("Žemė ąčę", "windows-1257"), ("Đ ơ ư", "windows-1258"),
        ("naïve café", "cp437"), ("naïve café", "cp850"), ("žluťoučký", "cp852"), ("Привет", "cp866"), ("ภาษาไทย", "cp874"),
        ("Привет мир", "koi8-r"), ("Україна їжак", "koi8-u"), ("naïve café", "macintosh"), ("ภาษาไทย", "tis-620"),
        ("中文简体", "gb18030"), ("繁體中文測試", "big5-hkscs"), ("한국어 시험", "euc-kr"), ("한국어 시험", "johab"),
        ("①か゚𠂉", "shift_jis-2004"), ("①か゚𠂉", "euc-jis-2004"),
    ],
)  # fmt: skip
def test_a_language_under_its_own_label(text: str, label: str) -> None:
    codec = canonical(label)
    assert codec
    assert decode(text.encode(codec), label) == (text, codec.replace("_", "-"), 0)


@pytest.mark.parametrize("label", ["big5", "euc-kr", "johab", "hz", "koi8-x"])
def test_shift_jis_under_a_label_that_cannot_be(label: str) -> None:
    assert decode(_sjis("①第１版ﾃﾞｰﾀ㈱"), label) == ("①第１版ﾃﾞｰﾀ㈱", "cp932", 0)


@pytest.mark.parametrize(
    ("text", "is_japanese"),
    [
        ("あ", False), ("ああ", True), ("アメ", True), ("ああ亜唖娃", True), ("ああ亜唖娃阿", False), ("ああ園園亜唖", False), ("亜唖", False),
    ],
)  # fmt: skip
def test_how_many_kana_unmask_a_latin_label(text: str, is_japanese: bool) -> None:
    assert decode(_sjis(text), "windows-1252").charset == ("cp932" if is_japanese else "cp1252")


def test_kana_in_what_is_no_shift_jis_leave_the_latin_label() -> None:
    assert decode(_sjis("あああ") + b"\xff", "windows-1252") == ("‚\xa0" * 3 + "ÿ", "cp1252", 0)


def test_bytes_without_a_meaning_under_a_latin_label() -> None:
    assert decode(b"caf\xe9 \x81", "windows-1252") == ("café 〓", "cp1252", 1)


# --------------------------------------------------------------------------------------------------- Shift_JIS or EUC-JP


@pytest.mark.parametrize("label", [*_UNDECLARED, "utf-8", "utf-7", "x-unknown"])
@pytest.mark.parametrize(
    "text",
    ["あい", "これはテストです", "漢字", "令和六年度住民税のお知らせ", "市町村合併", "お世話になっております。", "関所ー「無害化」・", "第１２３号", "夜露死苦"],
)
def test_japanese_without_a_label(text: str, label: str | None) -> None:
    assert decode(_sjis(text), label) == (text, "cp932", 0)
    assert decode(_euc(text), label) == (text, "euc-jp", 0)


@pytest.mark.parametrize("text", ["ﾊﾝｶｸ", "ｶﾅ", "ｶﾌﾞｼｷｶﾞｲｼｬ", "No.1 ﾊﾝｶｸ", "ﾔﾏﾀﾞ ﾀﾛｳ"])
def test_half_width_kana_could_be_kanji_of_euc(text: str) -> None:
    assert decode(_sjis(text)) == (text, "cp932", 0)
    assert decode(_sjis(text), "shift_jis") == (text, "cp932", 0)
    assert decode(_euc(text), "euc-jp") == (text, "euc-jp", 0)


@pytest.mark.parametrize("name", ["翔", "莉", "凜", "遙", "翔凜", "萬", "鶯", "頌", "籠"])
def test_a_name_that_could_be_other_kanji_of_euc(name: str) -> None:
    """Kanji of the second level: as many of them either way."""
    assert decode_euc(_sjis(name)).replaced == 0
    assert decode(_sjis(name)) == (name, "cp932", 0)
    assert decode(_sjis(name), "shift_jis") == (name, "cp932", 0)
    assert decode(_euc(name), "euc-jp") == (name, "euc-jp", 0)


def test_a_label_settles_what_can_be_read_as_both() -> None:
    assert decode(_sjis("ﾊﾝｶｸ"), "euc-jp") == ("保狂", "euc-jp", 0)
    assert decode(_euc("あい"), "shift_jis") == ("､｢､､", "cp932", 0)
    assert decode(b"Quien te dij\xe9at, me dicen", "shift_jis") == ("Quien te dij饌t, me dicen", "cp932", 0)


@pytest.mark.parametrize("label", [*_UNDECLARED, "utf-7"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_euc("これは壊れた文章です。") + b"\xff", ("これは壊れた文章です。〓", "euc-jp", 1)),       # three as Shift_JIS
        (_euc("漢字") + b"\xff", ("ｴﾁｻ〓〓", "cp932", 2)),                                        # two: not clear enough
        (b"plain words, " * 9 + _euc("壊れた文章の例") + b" \xff", ("plain words, " * 9 + "壊れた文章の例 〓", "euc-jp", 1)),
        (_sjis("これは壊れた文章です。") + b"\x82", ("これは壊れた文章です。〓", "cp932", 1)),
        (b"A long line of plain words, and then " + _sjis("テスト") + b" \xff", ("A long line of plain words, and then テスト 〓", "cp932", 1)),
        (b"A long line of plain words: Fran\xe7ais \xff", ("A long line of plain words: Français ÿ", "cp1252", 0)),
    ],
)
def test_text_that_is_broken_whatever_it_is(data: bytes, label: str | None, expected: tuple[str, str, int]) -> None:
    assert decode(data, label) == expected


@pytest.mark.parametrize("label", [None, "utf-8", "euc-jp", "x-unknown"])
@pytest.mark.parametrize("text", ["Quien te dijéat, me dicen", "daniëla and others are here", "daniëla, dijéat: so many plain words"])
def test_accents_are_no_japanese(text: str, label: str | None) -> None:
    assert decode(text.encode("cp1252"), label) == (text, "cp1252", 0)


def test_broken_text_under_a_label_of_its_own() -> None:
    assert decode(_sjis("文章です。") + b"\xff\xa0\x82", "shift_jis") == ("文章です。〓〓〓", "cp932", 3)
    assert decode(_euc("文章です。") + b"\xff", "euc-jp") == ("文章です。〓", "euc-jp", 1)
    assert decode("文章".encode("gb18030") + b"\xff", "gb2312") == ("文章〓", "gb18030", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quien te dijéat, me dicen", True),
        ("Quien te dijé, me dicen lo que", False),       # the byte after it is no letter: as Shift_JIS that is broken anyway
        ("dijéat éat me", False),                        # nothing before the second
        ("dijéat", True),
        ("ijéat", False),                                # one in five is too much
        ("a dijƒat of plain words", False),              # katakana
    ],
)
def test_accents_among_plain_words(text: str, expected: bool) -> None:
    assert charset._accents(text.encode("cp1252")) is expected


# ----------------------------------------------------------------------------------------------- inside ISO-2022-JP, and pages


@pytest.mark.parametrize(
    ("eight", "text"),
    [
        (_sjis("ﾃｨ"), "ﾃｨ"), (_sjis("ﾃ｡"), "ﾃ｡"), (_sjis("ﾟﾟ｡｡"), "ﾟﾟ｡｡"), (b"\xa4\xa2\xa4\xa4", "､｢､､"),
        (_euc("あ漢"), "､｢ｴﾁ"), (_euc("あい熙"), "あい熙"), (_euc("あい痰"), "あい痰"), (_sjis("テスト"), "テスト"), ("テスト".encode(), "テスト"),
    ],
)  # fmt: skip
def test_eight_bits_inside_iso_2022_jp(eight: bytes, text: str) -> None:
    """Half-width kana where all could be (JIS X 0201 with eight bits), else what another program added."""
    assert decode(b"\x1b$B4A\x1b(B" + eight) == ("漢" + text, JIS, 0)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("euc-jp", ("保狂", "euc-jp")), ("x-unknown", ("ﾊﾝｶｸ", "cp932")), ("utf-16", ("ﾊﾝｶｸ", "cp932")), ("utf-16le", ("ﾊﾝｶｸ", "cp932")),
        ("utf-16be", ("ﾊﾝｶｸ", "cp932")), ("utf-32", ("ﾊﾝｶｸ", "cp932")), ("utf-32le", ("ﾊﾝｶｸ", "cp932")), ("utf-32be", ("ﾊﾝｶｸ", "cp932")),
        ("utf-7", ("ﾊﾝｶｸ", "cp932")), ("windows-1252", ("ÊÝ¶¸", "cp1252")),
    ],
)  # fmt: skip
def test_what_a_page_says_of_itself(stated: str, expected: tuple[str, str]) -> None:
    head = f'<meta charset="{stated}">'
    assert decode_html(head.encode() + _sjis("ﾊﾝｶｸ")) == Decoded(head + expected[0], expected[1], 0)
    assert decode_html(head.encode() + _sjis("ﾊﾝｶｸ"), "koi8-r").charset == "koi8-r"


@pytest.mark.parametrize(("end", "expected"), [(4096, "euc-jp"), (4097, "cp932")])
def test_a_page_says_it_at_its_beginning(end: int, expected: str) -> None:
    head = b"<meta charset=euc-jp"
    assert decode_html(b" " * (end - len(head)) + head + b">" + _sjis("ﾊﾝｶｸ")).charset == expected


# ------------------------------------------------------------------------------------------------------------------ and back


@pytest.mark.parametrize("codec", sorted({*charset._LABELS.values()}))
def test_a_text_goes_out_in_any_encoding(codec: str) -> None:
    """What is missing is 〓 where there is one, else a question mark; nothing raises."""
    data = encode("a\ud800b", codec)
    assert decode(data, codec).text in ("a〓b", "a?b")
    has_geta = codec not in charset._SINGLE_BYTE and codec not in ("ascii", "big5hkscs")
    assert decode(data, codec).text == ("a〓b" if has_geta else "a?b")
    assert canonical(codec) == codec
    assert encode("\ud800𠮷한é☃ก", codec)


@pytest.mark.parametrize("label", ["iso-2022-jp-ms", "cp50221", "50221"])
def test_half_width_kana_go_out_as_they_are_where_the_label_allows_them(label: str) -> None:
    assert encode("ｶ", label) == b"\x1b(I6\x1b(B"
    assert encode("ｶ", "cp50220") == b"\x1b$B%+\x1b(B"
