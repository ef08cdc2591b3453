"""A transfer is found by any piece of what a person remembers of it."""

from __future__ import annotations

import msgspec
import pytest

from gateway.storage import text_search
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from tests.build.transfer import NOW, arrival, claimed, settlement


async def found(journal: Journal, text: str, **more: object) -> list[str]:
    return [transfer.name for transfer in await journal.transfers(Filter(text=text, **more))]  # type: ignore[arg-type]


NAME = "令和８年度　総務ﾌｧｲﾙ（髙橋）.XLSX"


@pytest.mark.parametrize(
    "asked",
    ["総務", "総", "令和8年度", "ファイル", "ﾌｧｲﾙ", "高橋", "髙橋", "xlsx", ".xl", "(高橋)", "（髙橋）", "高橋 令和", "8年度 総務ファイル", "soumu@TOWN", "zeimu@town"],
)
async def test_a_piece_finds_it(journal: Journal, asked: str) -> None:
    await journal.accept(arrival(name=NAME, recipients=("soumu@town.example.jp", "zeimu@town.example.jp")))
    await journal.accept(arrival(name="もう一つ.txt", recipients=("b@city.example.jp",)))
    assert await found(journal, asked) == [NAME]


@pytest.mark.parametrize("asked", ["総務課", "和令", "8年総務", "高橋 別の物", "\\", "''", "ab\\", "xl'x", "\x01\x01\x01", "%", "*", "総務* OR 別", '"', "AND", "NEAR(総務 別)", "総_"])
async def test_what_is_not_there_is_not_found(journal: Journal, asked: str) -> None:
    await journal.accept(arrival(name=NAME))
    assert await found(journal, asked) == []


async def test_no_word_finds_all_and_the_youngest_come_first(journal: Journal) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        await journal.accept(arrival(name=name))
    assert await found(journal, "  ") == await found(journal, "txt") == ["c.txt", "b.txt", "a.txt"]
    assert await found(journal, "txt", limit=1) == ["c.txt"]


async def test_pieces_of_two_fields_are_not_one(journal: Journal) -> None:
    """The end of the name and the beginning of the digest stand beside each other in the index."""
    await journal.accept(arrival(name="abc"))
    assert await found(journal, "abc") == ["abc"]
    assert await found(journal, "abc" + arrival().sha256[:2]) == []


async def test_what_is_learnt_later_finds_it_and_what_was_known_still_does(journal: Journal) -> None:
    await journal.accept(arrival(name="message.eml"))
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    assert await found(journal, "見積書") == []
    learnt = msgspec.structs.replace(settlement(), subject="見積書の件", names=("添付①.pdf",))
    await journal.settle(claim, learnt, at=NOW)
    for asked in ("見積書", "添付1.pdf", "message", "sender@example"):
        assert await found(journal, asked) == ["message.eml"], asked


async def test_a_receipt_number_or_a_digest_finds_it_too(journal: Journal) -> None:
    await journal.accept(arrival(name="a.txt"))
    _, number = await journal.accept(arrival(name="b.txt", sha256="ab" * 32))
    for asked in (number, number[3:], f"{number} b.txt", "AB" * 32, "abab"):
        assert await found(journal, asked) == ["b.txt"], asked
    assert await found(journal, f"{number} a.txt") == []


async def test_it_goes_with_the_other_conditions(journal: Journal) -> None:
    await journal.accept(arrival(name="a.txt", organisation="town"))
    await journal.accept(arrival(name="b.txt", organisation="city"))
    assert await found(journal, "txt", organisation="town") == ["a.txt"]
    assert await found(journal, "txt", before_id=2) == ["a.txt"]


@pytest.mark.parametrize("name", ["it's \\a\\ \"test\".txt", "a\x01b\tc.txt", "会議", "ｶﾞ", "x" * 5_000, "\x00\ud800.txt"])
async def test_no_name_breaks_the_index_and_each_is_found_by_its_pieces(journal: Journal, name: str) -> None:
    await journal.accept(arrival(name=name))
    assert len(await found(journal, "sender@example")) == 1
    plain = [piece for piece in ("it's", "\\a\\", '"test"', "会議", "ガ", "xxxxx", ".txt") if piece in name or (piece == "ガ" and name == "ｶﾞ")]
    for piece in plain:
        assert len(await found(journal, piece)) == 1, piece


def test_variants_have_one_form_each() -> None:
    assert text_search.folded("髙﨑　ＡＢＣ①㈱") == "高崎 abc1(株)"
