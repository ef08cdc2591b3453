"""Japanese text comes out right whatever its label says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizers import charset
from sanitizers.charset import canonical, decode, decode_html, encode

PHRASES = ["こんにちは世界", "①㈱髙﨑の件", "半角ｶﾅと全角カナ", "10～20の間－∥", "資料 第1版.docx", "ソ表能十"]


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("charset", ["iso-2022-jp-ms", "cp932", "euc-jp", "utf-8", "utf-16"])
@pytest.mark.parametrize("label", [None, "right", "iso-2022-jp", "us-ascii", "unknown-8bit", "utf-8"])
def test_phrase_survives_any_label(phrase: str, charset: str, label: str | None) -> None:
    data = encode(phrase, charset)
    assert decode(data, charset if label == "right" else label).text == phrase


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b$B-!-j\x1b(B", "①㈱"),  # NEC row 13
        (b"\x1b$B|b\x1b(B", "髙"),  # NEC selected IBM extensions
        (b"\x1b$B4A;z", "漢字"),  # the last escape is missing
        (b"\x1b$B4A\nabc", "漢\nabc"),  # the set is lost at the line end
        (b"\x1b$B4A\n;z\x1b(B", "漢\n字"),  # the set goes on over the line end
        (b"\x1b$@4A;z\x1b(J!", "漢字!"),  # JIS C 6226-1978, JIS X 0201 Roman
        (b"\x1b(I12\x1b(Babc", "ｱｲabc"),
        (b"\x1b$(D0!\x1b(B", "丂"),  # JIS X 0212
        (b"\x1b&@\x1b$B4A;z\x1b(B", "漢字"),  # the announcement of JIS X 0208-1990
        (b"\x1b$B4A\x1b$(D\x1b$B;z\x1b(B", "漢字"),  # a set that nothing stands in
        (b"\x1b$B4A\xb4\xc1\xbb\xfa;z\x1b(B", "漢漢字字"),  # letters of EUC-JP among those of seven bits
        (b"\x1b$B4A\x1b(B" + "外字".encode("cp932"), "漢外字"),  # a footer in another encoding
        (b"plain \x1b[31mred\x1b[0m", "plain \x1b[31mred\x1b[0m"),
    ],
)
def test_iso_2022_jp_as_it_is_sent(data: bytes, text: str) -> None:
    assert decode(data, None).text == text
    assert decode(data, None).replaced == 0


def test_shift_out_kana_needs_the_label() -> None:
    assert decode(b"\x0e12\x0f.", "iso-2022-jp").text == "ｱｲ."
    assert decode(b"\x0e12\x0f.").text == "\x0e12\x0f."


def test_unknown_pairs_become_geta_and_are_counted() -> None:
    decoded = decode(b"\x1b$B)!4A\x1b(B")
    assert (decoded.text, decoded.replaced) == ("〓漢", 1)
    assert decode(b"\x1b$B\x22\x2e\x1b(B")[:1] == ("〓",)
    assert decode(b"\x1b$B\x22\x2e\x1b(B").replaced == 0  # a real 〓 is no loss


@pytest.mark.parametrize(
    ("data", "label", "text", "replaced"),
    [
        (b"\x1b$(D0!\x24\x22\x7e\x7e\x1b(B", None, "丂〓〓", 2),  # pairs that JIS X 0212 has not, one of which JIS X 0208 has
        (b"\x1b$(P!!\x22\x22\x1b(B", None, "〓〓", 2),  # the second plane of JIS X 0213
        ("本文の丂です。日本語の文章".encode("euc_jp"), "euc-jp", "本文の丂です。日本語の文章", 0),
        ("本文の".encode("euc_jp") + b"\x8f\xa4\xa2" + "です。日本語の文章".encode("euc_jp"), "euc-jp", "本文の〓です。日本語の文章", 1),
    ],
)
def test_pairs_of_the_supplement_are_never_those_of_the_first_set(data: bytes, label: str | None, text: str, replaced: int) -> None:
    decoded = decode(data, label)
    assert (decoded.text, decoded.replaced) == (text, replaced)


def test_cut_utf8_is_still_utf8() -> None:
    decoded = decode("日本語のテキスト".encode()[:-1])
    assert decoded == ("日本語のテキス〓", "utf-8", 1)


@pytest.mark.parametrize(
    ("text", "charset", "label"),
    [
        ("Nicolas Fouché", "latin-1", "iso-8859-1"),
        ("naïve café", "cp1252", "windows-1252"),
        ("Привет", "koi8-r", "koi8-r"),
        ("中文", "gbk", "gb2312"),
        ("한국어", "cp949", "ks_c_5601-1987"),
        ("繁體", "big5", "big5"),
    ],
)
def test_other_languages_by_label(text: str, charset: str, label: str) -> None:
    assert decode(text.encode(charset), label).text == text


def test_japanese_under_a_latin_label() -> None:
    assert decode("これはテストです。".encode("cp932"), "iso-8859-1").text == "これはテストです。"


def test_one_accent_in_a_long_name_is_no_kanji() -> None:
    assert decode("01 Quien Te Dijéat. Pitbull.mp3".encode("cp1252"), "iso-2022-jp").text == "01 Quien Te Dijéat. Pitbull.mp3"


def test_utf7_only_when_labelled() -> None:
    assert decode(b"+ADw-script+AD4-").text == "+ADw-script+AD4-"
    assert decode(b"+ADw-script+AD4-", "utf-7").text == "<script>"
    assert decode_html(b"<meta charset=utf-7>+ADw-script+AD4-").text.endswith("+ADw-script+AD4-")


def test_marks_and_wide_encodings() -> None:
    assert decode(b"\xef\xbb\xbfabc").text == "abc"
    assert decode("<p>日本</p>\n".encode("utf-16-le")).text == "<p>日本</p>\n"
    assert decode("日本".encode("utf-16-be"), "utf-16").text == "日本"
    assert decode(b"\xed\xa0\xbd\xed\xb8\x80").text == "😀"  # CESU-8


def test_page_states_its_own_charset() -> None:
    assert decode_html(b'<meta charset="shift_jis">' + "ｶﾅ".encode("cp932")).text.endswith("ｶﾅ")
    assert decode_html("<meta charset=iso-8859-1>é".encode("latin-1"), "shift_jis").charset == "cp932"


@pytest.mark.parametrize("label", ["hex", "rot13", "unicode_escape", "idna", "zip", "undefined", "x-unknown", "", "\0", "é"])
def test_labels_that_are_no_text_encoding(label: str) -> None:
    assert canonical(label) is None


@pytest.mark.parametrize("label", ["cp50220", "CP50221", "iso-2022-jp-ms", "X-SJIS", "Windows-31J", '"Shift_JIS"', "ms_kanji"])
def test_labels_of_the_wild_are_known(label: str) -> None:
    assert canonical(label) in ("iso-2022-jp", "cp932")


@given(
    st.binary(max_size=200),
    st.sampled_from([None, "utf-7", "hz", "iso-2022-kr", "johab", "utf-32", "iso-2022-jp", "big5", "euc-jp"]),
)
def test_never_raises_and_is_always_encodable(data: bytes, label: str | None) -> None:
    decode(data, label).text.encode("utf-8")


@given(st.text(st.characters(codec="cp932", exclude_categories=("Cc",), exclude_characters="¢£¬‖−〜"), max_size=50))
def test_jis_round_trip(text: str) -> None:
    again = decode(encode(text, "iso-2022-jp-ms"), "iso-2022-jp").text
    assert encode(again, "cp932") == encode(text, "cp932") or "〓" in again


def test_encoding_for_old_groupware() -> None:
    assert encode("ｶﾞ①𠮷", "iso-2022-jp") == b"\x1b$B%,-!\x22\x2e\x1b(B"
    assert encode("〜−", "iso-2022-jp") == encode("～－", "iso-2022-jp")
    assert encode("日本", "no-such-charset") == "日本".encode()


def test_korean_in_seven_bits_needs_its_label() -> None:
    data = "한국".encode("iso2022_kr")
    assert decode(data, "iso-2022-kr") == ("한국", "iso2022-kr", 0)
    assert decode(data.replace(b"\x1b$)C", b""), "iso-2022-kr").charset == "iso2022-kr"


@pytest.mark.parametrize(
    ("codec", "label", "charset"),
    [
        ("utf-32-le", "utf-32", "utf-32-le"), ("utf-32-be", "utf-32", "utf-32-be"), ("utf-32-le", "utf-32le", "utf-32-le"),
        ("utf-16-le", "utf-16", "utf-16-le"), ("utf-16-be", "utf-16", "utf-16-be"), ("utf-16-be", None, "utf-16-be"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["abc 1", "日本 abcdefgh"])
def test_wide_text_without_a_mark(text: str, codec: str, label: str | None, charset: str) -> None:
    assert decode(text.encode(codec), label) == (text, charset, 0)


def test_nuls_on_both_sides_are_no_wide_text() -> None:
    assert decode(b"\0\0ab" * 4).charset == "us-ascii"
    assert decode(b"\0\0\xe9b" * 4).charset != "utf-16-be"


def test_a_codec_that_raises_whatever_it_is_told_loses_only_what_is_not_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stubborn(bytes):
        def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # type: ignore[override]
            if encoding != "ascii":
                raise UnicodeError
            return bytes(self).decode(encoding, errors)

    assert charset._replacing(Stubborn(b"a\xff"), "idna") == ("a〓", "idna", 1)


def test_two_bytes_that_could_be_both_are_what_the_label_says() -> None:
    data = "ﾃｨ".encode("cp932")         # as UTF-8: è
    assert decode(data, "shift_jis") == ("ﾃｨ", "cp932", 0)
    assert decode(data) == ("è", "utf-8", 0)
    assert decode("日本".encode(), "shift_jis") == ("日本", "utf-8", 0)


def test_accents_that_are_no_shift_jis_and_no_euc() -> None:
    assert decode(b"Caf\xe9 cr\xe8me br\xfbl\xe9e and more plain words, to be sure \x80 5\xff") == (
        "Café crème brûlée and more plain words, to be sure € 5ÿ", "cp1252", 0,
    )  # fmt: skip


def test_a_character_that_is_missing_goes_out_as_geta() -> None:
    assert encode("a𠮷𠮷b", "shift_jis") == "a〓〓b".encode("cp932")
    assert encode("a漢b", "latin-1") == b"a?b"


@pytest.mark.parametrize("data", [b"\x80", b"\xa0", b"\xfd", b"\xfe", b"\xff"])
def test_bytes_that_no_shift_jis_has_are_none(data: bytes) -> None:
    assert charset._strict(data, "cp932") is None
    assert charset._strict(b"\x88\x9f", "cp932") == "亜"
    assert charset._strict(b"\x81", "cp932") is None
