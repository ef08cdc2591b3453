"""What mails and pages call an encoding, and the codec that it means: a superset where every mail program takes one."""

from __future__ import annotations

import pytest

from sanitizers import charset

# As they are written in mails and pages (IANA's names and aliases, the labels of the Encoding Standard, what old programs of Japan wrote).
LABELS = {
    "cp932": "Shift_JIS SJIS x-sjis MS_Kanji csShiftJIS Windows-31J csWindows31J MS-SJIS Shift-JIS-MS x-ms-cp932 MS932 windows-932 sjis-win cp943 ibm-943 "
    "x-shift-jis Shift_JIS-Docomo sjis-ms cp932",
    "euc_jp": "EUC-JP x-euc-jp ujis eucJP-ms cp51932 eucJP-win csEUCPkdFmtJapanese eucJP-ascii",
    "iso-2022-jp": "ISO-2022-JP ISO-2022-JP-1 ISO-2022-JP-2 ISO-2022-JP-3 ISO-2022-JP-EXT ISO-2022-JP-2004 ISO-2022-JP-MS csISO2022JP cp50220 cp50221 cp50222 "
    "JIS JIS7 jis_kana ISO-2022 csISO2022JP2 50220 50221 x-iso-2022-jp",
    "gb18030": "GB2312 GBK cp936 MS936 windows-936 EUC-CN GB_2312-80 csGB2312 x-gbk csISO58GB231280 gb GB18030",
    "big5hkscs": "Big5 csBig5 x-Big5 cp950 Big5-HKSCS Big5-TW cn-big5",
    "cp949": "KS_C_5601 KS_C_5601-1987 EUC-KR KS_C_5601-1989 UHC windows-949 korean csEUCKR iso-ir-149 MS949 cp949",
    "cp1252": "latin1 ISO-8859-1 windows-1252 x-ansi ansi l1 cp819 IBM819 ISO_8859-1:1987 csISOLatin1 iso-ir-100 latin ISO8859 8859 cp1252",
    "utf_8": "UTF-8 unicode-1-1-utf-8 x-unicode20utf8 utf8mb4 CESU-8 utf-8-bom utf8",
    "utf_7": "UTF-7 unicode-1-1-utf-7 x-unicode-2-0-utf-7 csUnicode11UTF7",
    "utf_16": "UTF-16 unicode ISO-10646-UCS-2 UCS-2 csUnicode",
    "utf_16_le": "UTF-16LE unicodeFEFF",
    "utf_16_be": "UTF-16BE unicodeFFFE",
    "utf_32": "UTF-32 UCS-4 ISO-10646-UCS-4",
    "utf_32_le": "UTF-32LE",
    "utf_32_be": "UTF-32BE",
    "ascii": "US-ASCII ascii ANSI_X3.4-1968 ISO646-US us 646",
    "iso2022_kr": "ISO-2022-KR csISO2022KR",
    "hz": "HZ HZ-GB-2312",
    "iso8859_8": "ISO-8859-8-I ISO-8859-8-E logical visual ISO-8859-8 hebrew",
    "johab": "johab cp1361",
    "shift_jis_2004": "Shift_JIS-2004",
    "euc_jis_2004": "EUC-JIS-2004",
    "koi8_r": "KOI8-R csKOI8R",
    "koi8_u": "KOI8-U",
    "mac_roman": "macintosh mac-roman",
    "tis_620": "TIS-620",
    **{f"iso8859_{part}": f"ISO-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, 16)},
    **{f"cp125{page}": f"windows-125{page} cp125{page}" for page in (0, 1, 3, 4, 5, 6, 7, 8)},
    **{f"cp{page}": f"cp{page} IBM{page}" for page in (437, 850, 852, 866)},
    "cp874": "cp874",
}


@pytest.mark.parametrize(("codec", "label"), [(codec, label) for codec, labels in LABELS.items() for label in labels.split()])
def test_a_label_means_its_codec(codec: str, label: str) -> None:
    for spelled in (label, label.lower(), label.upper(), f" {label}\t", label.replace("-", "_")):
        assert charset.canonical(spelled) == codec


def test_every_codec_is_loaded_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the jail no module can be opened any more."""
    asked: list[str] = []
    monkeypatch.setattr("codecs.lookup", asked.append)
    assert charset._labels() == charset._LABELS
    assert set(asked) == {*charset._LABELS.values()} - {charset.JIS}


@pytest.mark.parametrize("label", ["", "base64", "rot13", "zlib", "idna", "punycode", "unicode_escape", "raw-unicode-escape", "x-unknown", "hex", "mbcs", "undefined", "jis8"])
def test_what_is_no_encoding_of_text_is_none(label: str) -> None:
    assert charset.canonical(label) is None


def test_what_is_broken_in_its_own_encoding_is_counted() -> None:
    broken = "五霞町の回覧".encode("euc_jp") + b"\xff\xa4"
    assert charset.decode(broken, "EUC-JP").text.startswith("五霞町の回覧")
    found = charset._replacing(broken, "euc_jp")
    assert found.text.startswith("五霞町の回覧〓")
    assert found.charset == "euc-jp"
    assert found.replaced >= 1
