"""Letters of the house in the post's hands: each under a lease, and whoever comes late with an old one changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.storage import letters as rows
from gateway.storage.faults import JournalUnavailableError, LeaseLostError
from gateway.storage.journal import Journal
from gateway.telling.letters import LettersOutbox
from mail.outbox import Delivery, Result
from tests.build import journals
from tests.build.transfer import NOW

CONTENT = b"Subject: report\r\n\r\nIt is whole.\r\n"


class Post:
    """An outbox with a clock that the test turns."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.now = journal, NOW
        self.outbox = self.another()

    def another(self) -> LettersOutbox:
        return LettersOutbox(self.journal, clock=lambda: self.now)

    async def written(self, *recipients: str) -> int:
        return await self.journal.write(lambda connection: rows.queue(connection, recipients, CONTENT, about="report", at=self.now))

    async def one(self, outbox: LettersOutbox | None = None) -> Delivery:
        (claimed,) = await (outbox or self.outbox).claim(10, self.now)
        return claimed


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    journal = await journals.new(tmp_path / "sekisho.db")
    yield Post(journal)
    await journal.stop()


def said(status: str, **more: object) -> list[Result]:
    return [Result("kacho@town.example.jp", status, 250, "2.0.0", "said", **more)]  # type: ignore[arg-type]


async def test_to_nobody_there_is_no_letter(post: Post) -> None:
    assert await post.written() == 0
    assert await post.written("kacho@town.example.jp", "kacho@town.example.jp") == 1
    assert [entry.action async for entry in post.journal.entries()] == ["letter.queued"]


async def test_a_letter_that_was_given_back_is_due_again(post: Post) -> None:
    await post.written("kacho@town.example.jp")
    letter = await post.one()
    assert await post.outbox.claim(10, post.now) == [], "it is in somebody's hands"
    await post.outbox.release(letter)
    again = await post.one()
    assert await post.outbox.read(again) == CONTENT
    await post.outbox.settle(again, said("delivered"), None)
    assert await post.outbox.next_due() is None


@pytest.mark.parametrize("results", [[], said("deferred"), said("deferred", retry_at=NOW + 60)], ids=["no answer", "later", "then"])
async def test_what_got_no_answer_is_tried_again(post: Post, results: list[Result]) -> None:
    await post.written("kacho@town.example.jp")
    await post.outbox.settle(await post.one(), results, None)
    assert await post.outbox.next_due() == NOW + 60
    post.now += 61
    await post.outbox.settle(await post.one(), said("failed"), None)
    assert await post.outbox.next_due() is None


@pytest.mark.parametrize("deed", ["settle", "release"])
async def test_who_is_late_is_fenced_off_and_forgets_the_letter(post: Post, deed: str) -> None:
    await post.written("kacho@town.example.jp")
    late = await post.one()
    post.now += 86_400
    other = post.another()
    letter = await post.one(other)
    for _ in range(2):      # by the journal, then by his own memory
        with pytest.raises(LeaseLostError):
            await (post.outbox.settle(late, said("failed"), None) if deed == "settle" else post.outbox.release(late))
    with pytest.raises(LeaseLostError):
        await post.outbox.read(late)
    await other.settle(letter, said("delivered"), None)


async def test_a_journal_that_is_away_leaves_the_letter_in_hand(post: Post) -> None:
    await post.written("kacho@town.example.jp")
    letter = await post.one()
    await post.journal.stop()
    with pytest.raises(JournalUnavailableError):
        await post.outbox.settle(letter, said("delivered"), None)
    assert letter.id in post.outbox._leased
