"""The administration's menu: what stands in it belongs to a group, each entry leads somewhere, and a short menu has no groups."""

from __future__ import annotations

import re

import pytest

from gateway.admin.menu import MENU
from gateway.people.permissions import permitted
from gateway.people.roles import Role
from tests.build.face import Town, client

NAV = re.compile(r'<nav class="menu".*?</nav>', re.DOTALL)


async def menu(place: Town, face: str, login: str) -> str:
    async with client(place.faces[face]) as browser:
        found = NAV.search(await (await browser.get("/", headers=await place.token(login))).text())
    assert found is not None
    return found[0]


async def test_every_entry_has_its_group_and_none_is_left_over(place: Town) -> None:
    shown = await menu(place, "admin", "kanri")
    sections = re.split(r"<section", shown)
    assert re.findall(r'href="([^"]+)"', sections[0]) == ["/"]
    named = [path for group in MENU for path in group.paths]
    assert len(set(named)) == len(named)
    found = [path for section in sections[1:] for path in re.findall(r'href="([^"]+)"', section)]
    assert found == [path for path in named if path in found], "in the order of the table"
    after = shown.rpartition("</section>")[2]
    assert "href" not in after, "an entry that belongs to no group"


@pytest.mark.parametrize("login", ["kanri", "sousa", "kansa"])
async def test_each_sees_what_he_may_follow_and_no_empty_group(place: Town, login: str) -> None:
    shown = await menu(place, "admin", login)
    role = place.roles[login]
    assert all(permitted("admin", "GET", path, role) for path in re.findall(r'href="([^"]+)"', shown))
    assert all("href" in section for section in re.split(r"<section", shown)[1:])
    assert ("/people" in shown) == permitted("admin", "GET", "/people", Role(role))


async def test_where_one_is_stands_out_on_the_pages_below_too(place: Town) -> None:
    number = await place.settled("tanaka")
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get(f"/transfers/{number}", headers=await place.token("kansa"))).text()
    assert re.findall(r'<a href="([^"]+)" aria-current="true">', page) == ["/transfers"]


async def test_staff_have_a_menu_without_groups(place: Town) -> None:
    assert "<section" not in await menu(place, "drop", "tanaka")
