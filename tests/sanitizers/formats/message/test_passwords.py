"""What a mail says a password is: found as it is written, whatever stands around it."""

from __future__ import annotations

import pytest

from sanitizers.formats.message.passwords import LONGEST, MOST, candidates


@pytest.mark.parametrize(
    "text",
    [
        "パスワードは Kasumi#2026 です。",
        "先ほどのファイルのパスワードをお送りします。\n\nパスワード：Kasumi#2026\n\nよろしくお願いします。",
        "解凍パスワード: Kasumi#2026",
        "パスワードは以下の通りです。\n\n  Kasumi#2026\n",
        "パスワードは次のとおりです\n「Kasumi#2026」",
        "添付ファイルのPW:Kasumi#2026",
        "ＰＷ：Ｋａｓｕｍｉ＃２０２６",
        "PASS → Kasumi#2026",
        "The password is: Kasumi#2026",
        "Password = Kasumi#2026\r\n".replace("\r", ""),
        "【パスワード】\nKasumi#2026",
        "パスワード\n----------\nKasumi#2026\n----------",
    ],
)
def test_it_is_found(text: str) -> None:
    assert "Kasumi#2026" in candidates(text)


@pytest.mark.parametrize("password", ["a)b(c]d", "end.", "12345678", "!!##$$%%", "x" * LONGEST])
def test_it_is_taken_as_written(password: str) -> None:
    assert password in candidates(f"パスワード：{password}")


@pytest.mark.parametrize("text", ["", "本日の会議について", "パスワードは別途お電話でお知らせします。", "passport 12345678", "パスワード：abc"])
def test_nothing_is_made_up(text: str) -> None:
    assert candidates(text) == ()


def test_a_hostile_mail_gives_few_and_costs_little() -> None:
    text = "".join(f"パスワード：{number:08d}\n" for number in range(50_000))
    assert len(candidates(text)) == MOST
    assert candidates("パスワード" * 100_000 + " " * 100_000) == ()
    assert all(len(one) <= LONGEST for one in candidates("パスワード：" + "x" * 10_000))
