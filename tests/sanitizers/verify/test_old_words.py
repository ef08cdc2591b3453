"""The second opinion on documents of which the text alone goes out: no letter is lost, and none is new."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import old_words, text
from tests.build import doc_older, jtd
from tests.build.cfb import compound
from tests.build.context import context

TITLES = "脚注ヘッダーフッターコメント文末脚注テキストボックスヘッダーのテキストボックス"


def compare(said: str, given: bytes, *codes: str, kind: Kind = Kind.DOC) -> None:
    told = context("a", kind)
    for code in codes:
        told.found(code, "", Action.REMOVED)
    old_words.compare(said, Source(given), told)


def word(said: str, given: str, *codes: str, **options: Any) -> None:
    compare(said, doc_older.document(given, **options), *codes)


# ------------------------------------------------------------------------------------------------------- what is counted


def test_letters_may_stand_anywhere_but_none_may_be_lost() -> None:
    word("本文", "本文\r")
    word("文 本\r\n", "本文\r")
    word("", "\r")
    word("本文", "本文\r", flags=0x0001)
    with pytest.raises(VerificationFailed, match="1 of 2 letters are lost"):
        word("本", "本文\r")
    with pytest.raises(VerificationFailed, match="1 of 3 letters are lost"):
        word("本文", "本文文\r")


def test_one_letter_of_a_hundred_may_be_lost() -> None:
    word("a" * 99, "a" * 99 + "b\r")
    with pytest.raises(VerificationFailed, match="2 of 100 letters are lost"):
        word("a" * 98, "a" * 98 + "bc\r")
    word("a" * 198, "a" * 198 + "bc\r")
    with pytest.raises(VerificationFailed, match="1 of 99 letters are lost"):
        word("a" * 98, "a" * 98 + "b\r")


def test_words_of_comments_may_be_gone_where_a_finding_says_so() -> None:
    word("本", "本文\r", "doc.comments")
    with pytest.raises(VerificationFailed, match="are lost"):
        word("本", "本文\r", "doc.macro")


def test_no_letter_is_new_except_those_of_titles() -> None:
    word(f"本文{TITLES}", "本文\r")
    for letter in ("山", "本", *sorted(set(TITLES))):
        with pytest.raises(VerificationFailed, match="1 letters that the document does not have"):
            word(f"本文{TITLES}{letter}", "本文\r")
    with pytest.raises(VerificationFailed, match="letters that the document"):
        word("本山", "本文\r", "doc.comments")


@pytest.mark.parametrize("kind", [Kind.DOC, Kind.JTD])
def test_a_text_is_compared_with_what_it_was_made_of(kind: Kind) -> None:
    given = doc_older.document("本文\r") if kind is Kind.DOC else compound({"DocumentText": jtd.words("本文")})
    told = context("a", kind)
    told.found(f"{kind.value}.as_text", "", Action.REWRITTEN)
    text.verify(Source("本文".encode()), Source(given), told)
    with pytest.raises(VerificationFailed, match="letters that the document"):
        text.verify(Source("本文山".encode()), Source(given), told)


# ------------------------------------------------------------------------------------------------------------ Word 6 and 95


def test_letters_of_notes_may_be_in_the_text_and_need_not() -> None:
    word("本文脚", "本文\r", stories={"footnotes": "脚\r"})
    word("本文", "本文\r", stories={"footnotes": "脚\r"})
    word("本文乙", "本文\r", stories={"header_text_boxes": "乙\r"})
    with pytest.raises(VerificationFailed, match="letters that the document"):
        word("本文乙", "本文\r", stories={"header_text_boxes": "乙\r"}, counts={"header_text_boxes": 0, "footnotes": 0})


def test_what_a_field_is_told_need_not_be_shown() -> None:
    word("7", "\x13 PAGE \x14" + "7\x15\r")
    word("PAGE7", "\x13 PAGE \x14" + "7\x15\r")
    with pytest.raises(VerificationFailed, match="are lost"):
        word("", "\x13 PAGE \x14" + "7\x15\r")
    word("7", "\x13 PAGE \x14" + "7\x15\r", wide=True)


def test_text_of_two_bytes_a_letter() -> None:
    word("本a文", "本a文\r", wide=True)
    word("本a文脚", "本a文\r", wide=True, stories={"footnotes": "脚\r"})
    with pytest.raises(VerificationFailed, match="1 of 3 letters are lost"):
        word("本a脚", "本a文\r", wide=True, stories={"footnotes": "脚\r"})
    assert old_words._narrow(b"") == old_words._narrow(b"a") == b""
    assert old_words._narrow(b"a\0\x7b\x96b\0c") == b"a\x96\x7bb"


def test_text_in_pieces() -> None:
    given = doc_older.document("一二三四五六七八\r", cuts=(2, 4, 6, 8, 10), stories={"footnotes": "脚\r"})
    compare("一二三四五六七八脚", given)
    with pytest.raises(VerificationFailed, match="1 of 8 letters are lost"):
        compare("一二三四五六七脚", given)
    with pytest.raises(VerificationFailed, match="1 letters that the document"):
        compare("一二三四五六七八九", given)


@pytest.mark.parametrize(
    ("characters", "codec", "said"),
    [
        (0x0100, "mac_roman", "é"), (128, "cp932", "漢"), (129, "cp949", "한"), (134, "cp936", "汉"), (136, "cp950", "漢"), (161, "cp1253", "ω"), (162, "cp1254", "ğ"),
        (177, "cp1255", "ש"), (178, "cp1256", "ش"), (186, "cp1257", "ļ"), (204, "cp1251", "ж"), (222, "cp874", "ก"), (238, "cp1250", "ř"),
    ],
)  # fmt: skip
def test_letters_are_those_of_the_character_set(characters: int, codec: str, said: str) -> None:
    """Whatever the language is."""
    word(said, f"{said}\r", characters=characters, codec=codec)
    word(said, f"{said}\r", characters=characters, codec=codec, language=0x0419)


@pytest.mark.parametrize(
    ("language", "codec", "said"),
    [(0x0411, "cp932", "漢"), (0x0804, "cp936", "汉"), (0x0404, "cp950", "漢"), (0x0412, "cp949", "한"), (0x0409, "cp1252", "é"), (0x0410, "cp1252", "é"), (0x0413, "cp1252", "é")],
)  # fmt: skip
def test_without_a_set_they_are_those_of_the_language(language: int, codec: str, said: str) -> None:
    word(said, f"{said}\r", language=language, codec=codec)


@pytest.mark.parametrize(
    "given",
    [
        b"", compound({"Other": b"x"}), compound({"Storage/WordDocument": doc_older.stream("a\r")}), compound({"WordDocument": b"x" * 0x40}), doc_older.document("a\r", characters=1),
        doc_older.document("a\r", flags=0x0004), doc_older.document("a\r", cuts=(1,)).replace(b"\x02\x1c\0\0\0", b"\x01\xff\xff\0\0"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_refused(given: bytes) -> None:
    with pytest.raises(VerificationFailed, match="olefile"):
        compare("a", given)


# --------------------------------------------------------------------------------------------------------------------- 一太郎


def ichitaro(said: str, **streams: bytes) -> None:
    compare(said, compound(dict(streams)), kind=Kind.JTD)


def test_all_stores_of_text_are_read() -> None:
    stores = {"DocumentText": jtd.words("本文"), "Header": jtd.words("頭"), "Footnote": jtd.words("脚")}
    ichitaro("本文頭脚", **stores, Other=jtd.words("他"))
    for letter in "本頭脚":
        with pytest.raises(VerificationFailed, match="1 of 4 letters are lost"):
            ichitaro("本文頭脚".replace(letter, ""), **stores)
    with pytest.raises(VerificationFailed, match="letters that the document"):
        ichitaro("本文頭脚他", **stores, Other=jtd.words("他"))
    ichitaro("何でも", JSCompDocument=b"packed")
    with pytest.raises(VerificationFailed, match="olefile"):
        ichitaro("本", DocumentText=b"x")


def test_a_store_has_texts_or_pieces_of_one() -> None:
    two = jtd.store(*(jtd.text(jtd.units(said)) for said in ("甲乙", "丙")))
    ichitaro("甲乙丙", DocumentText=two)
    ichitaro("甲乙丙", DocumentText=jtd.store(*(jtd.text(jtd.units(said)) for said in ("甲乙", "丙")), numbers=(3, 1)))
    ichitaro("", DocumentText=jtd.store())
    for missing in "甲乙丙":
        with pytest.raises(VerificationFailed, match="1 of 3 letters are lost"):
            ichitaro("甲乙丙".replace(missing, ""), DocumentText=two)
    pieces = jtd.store(b"QLSTV.01" + struct.pack(">IIIII", 2, 2, 2, 1, 1), jtd.units("丙"), jtd.units("甲乙"))
    ichitaro("甲乙丙", DocumentText=pieces)
    with pytest.raises(VerificationFailed, match="1 of 3 letters are lost"):
        ichitaro("甲乙", DocumentText=pieces)
    with pytest.raises(VerificationFailed, match="olefile"):
        ichitaro("", DocumentText=jtd.store(b"QLSTV.01" + struct.pack(">III", 1, 1, 9)))


def test_a_record_that_begins_in_one_piece_ends_in_the_next() -> None:
    record = jtd.units(*jtd.record(0x30, 0x5C71))
    pieces = jtd.store(b"QLSTV.01" + struct.pack(">IIIII", 2, 3, 1, 6, 2), record[:6], record[6:] + jtd.units("末"))
    ichitaro("末", DocumentText=pieces)
    ichitaro("末山", DocumentText=pieces)
    with pytest.raises(VerificationFailed, match="1 of 1 letters are lost"):
        ichitaro("山", DocumentText=pieces)


def test_what_stands_outside_of_records_is_shown() -> None:
    assert old_words._outside([0x41, 0x20, 0x1F, 0x0D, 0x42]) == [0x41, 0x20, 0x42]
    assert old_words._outside([0x1C, 1, 7, 0x50, 0x51, 0x52, 0x1D, 0x41, 0x1E]) == [0x41]
    assert old_words._outside([0x43, 0x1C, 1, 9, 0x50, 0x51, 0x52, 0x1D, 0x41, 0x42, 0x1E]) == [0x43, 0x41, 0x42]
    assert old_words._outside([0x1C, 2, 4, 0x50, 0x41, 0x42]) == [0x41, 0x42]
    assert old_words._outside([0x1C, 0x31, 0, 0x41]) == [0x31, 0x41]
    assert old_words._outside([0x1C, 0x31, 1, 0x41]) == [0x31, 0x41]
    with pytest.raises(IndexError):
        old_words._outside([0x1C, 0x31])
