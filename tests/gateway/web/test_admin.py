"""The administration sees every transfer and why it was held; the bytes of none."""

from __future__ import annotations

import pytest

from gateway.model import Door
from tests.build.face import Town, client
from tests.build.transfer import BODY, RESULT, held

LIST = "/api/v1/transfers"


@pytest.mark.parametrize("login", ["kanri", "sousa", "kansa"])
async def test_list_search_and_show(place: Town, login: str) -> None:
    who = await place.token(login)
    first, second = await place.settled("tanaka"), await place.settled("suzuki", held())
    mail = await place.settled("sender@example.com", door=Door.SMTP)
    async with client(place.faces["admin"]) as browser:

        async def numbers(query: str = "") -> list[str]:
            answer = await browser.get(LIST + query, headers=who)
            assert answer.status == 200
            return [row["receipt_no"] for row in await answer.json()]

        assert await numbers() == [mail, second, first]
        assert await numbers("?limit=1") == [mail]
        assert await numbers("?limit=-1") == [mail], "no way round the limit"
        assert await numbers("?state=held") == [second]
        assert await numbers("?state=held&state=released") == [mail, second, first]
        assert await numbers("?q=SUZUKI") == [second]
        assert await numbers(f"?q={first}") == [first]
        assert await numbers("?q=%25") == []
        assert await numbers("?q=%27%20or%201=1--") == []
        for wrong in ("?limit=x", "?state=none", "?limit=1e3"):
            assert (await browser.get(LIST + wrong, headers=who)).status == 400
        shown = await (await browser.get(f"{LIST}/{second}", headers=who)).json()
        assert (shown["sender"], shown["reason"], shown["report"]["reason"]) == ("suzuki", "encrypted", "encrypted")
        assert (await browser.get(f"{LIST}/20261118-999999", headers=who)).status == 404


async def test_the_page_shows_lights_numbers_and_walls(place: Town) -> None:
    who, receipt_no = await place.token("kansa"), await place.settled("<b>x</b>", held())
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get("/", headers=who)).text()
    assert receipt_no in page
    assert "seccomp" in page
    assert "rules-1" in page
    assert "<b>x</b>" not in page
    assert "保留" in page


async def test_no_bytes_on_this_face(place: Town) -> None:
    who, receipt_no = await place.token("kanri"), await place.settled()
    async with client(place.faces["admin"]) as browser:
        for path in ("/", LIST, f"{LIST}/{receipt_no}", f"{LIST}/{receipt_no}/file"):
            content = await (await browser.get(path, headers=who)).read()
            assert BODY not in content
            assert RESULT not in content
