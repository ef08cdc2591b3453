"""`sekisho box`: how full boxes are, and what one may hold."""

from __future__ import annotations

import pytest

from gateway.storage import boxes
from gateway.storage import people as rows
from tests.build.face import Town
from tests.build.transfer import NOW, RESULT
from tests.gateway.commands.conftest import Installation


async def _town(place: Town) -> None:
    place.clock.now = __import__("time").time()
    await place.known("tanaka")
    await place.staff.add_department("税務課", "test")
    await place.journal.write(lambda c: rows.group_set(c, "選挙班", [], at=NOW, actor="test"))
    number = await place.settled()
    await place.journal.write(lambda c: c.exec_driver_sql(f"UPDATE transfers SET changed_at = {place.clock.now}"))
    assert number


@pytest.mark.parametrize(("box", "address"), [("tanaka", "tanaka"), ("税務課", "department:1"), ("選挙班", "group:1")])
def test_a_box_gets_its_own_quota_and_back(sekisho: Installation, box: str, address: str) -> None:
    sekisho.prepare(_town)
    assert sekisho("box", "quota", box, "1 KiB").status == 0

    async def kept(place: Town) -> boxes.Kept:
        return (await place.journal.ask(lambda c: boxes.kept(c, [address])))[address]

    assert sekisho.prepare(kept).quota == 1024
    assert sekisho("box", "quota", box, "default").status == 0
    assert sekisho.prepare(kept).quota is None


def test_the_list_tells_how_full(sekisho: Installation) -> None:
    sekisho.prepare(_town)
    sekisho("box", "quota", "tanaka", f"{4 * len(RESULT)}")
    [row] = sekisho("box", "list", "--json").rows
    assert (row["box"], row["used"], row["percent"]) == ("tanaka", len(RESULT), 25)


@pytest.mark.parametrize(
    ("words", "status", "word"),
    [(("quota",), 2, "which BOX"), (("quota", "nobody", "1 GiB"), 1, "no such person"), (("quota", "tanaka", "much"), 2, "SIZE")],
)
def test_what_cannot_be_done_says_why(sekisho: Installation, words: tuple[str, ...], status: int, word: str) -> None:
    sekisho.prepare(_town)
    sekisho("box", *words).failed(status, word)
