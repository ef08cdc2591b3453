"""A real slapd: passwords by bind, groups to roles and departments, people who left, and a directory that is silent."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigError
from gateway.people import directory
from gateway.people.accounts import Accounts, DirectoryError, RefusedError
from gateway.people.directory import LdapDirectory, Reach, _is_disabled
from gateway.people.roles import Role
from gateway.storage import people as people_rows
from tests.build import slapd
from tests.build.face import Town, client, log_in, quick_passwords, town

GROUPS = (("administrator", slapd.group("kanri")), ("head", slapd.group("kacho")))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    crowd = "".join(slapd.person(f"shokuin{number:03}", f"職員{number}", ("土木課",)) for number in range(600))
    with slapd.running(tmp_path_factory.mktemp("slapd"), slapd.people(crowd)) as address:
        yield address


def reach(url: str, **other: object) -> Reach:
    known = {"url": url, "base": f"ou=people,{slapd.BASE}", "bind": slapd.ROOT, "password": slapd.SECRET, "groups": GROUPS, "start_tls": False}
    return Reach(**(known | other))  # type: ignore[arg-type]


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


@slapd.needs_slapd
async def test_a_password_is_asked_there(url: str) -> None:
    asked = LdapDirectory(reach(url))
    assert await asked.matches(slapd.dn("tanaka"), "tanaka-no-himitsu")
    assert not await asked.matches(slapd.dn("tanaka"), "wrong")
    assert not await asked.matches(slapd.dn("nobody"), "tanaka-no-himitsu")
    assert not await asked.matches(slapd.dn("tanaka"), ""), "an empty password would be an anonymous bind"


@slapd.needs_slapd
async def test_everybody_is_read_over_the_page_limit_with_role_and_departments(url: str) -> None:
    found = {one.login: one for one in await LdapDirectory(reach(url)).people()}
    assert len(found) == 604
    yamada, kacho, tanaka = (found[login] for login in ("yamada", "kacho", "tanaka"))
    assert (yamada.role, yamada.name, yamada.departments, yamada.directory) == ("administrator", "山田花子", ("情報政策課",), slapd.dn("yamada"))
    assert (kacho.role, kacho.head, set(kacho.departments)) == ("staff", True, {"税務課", "総務部"})
    assert (tanaka.role, tanaka.head, tanaka.mail) == ("staff", False, "tanaka@town.example.jp")


@slapd.needs_slapd
async def test_the_list_becomes_people_who_log_in_with_their_own_password(url: str, place: Town) -> None:
    asked = LdapDirectory(reach(url, people="(|(uid=tanaka)(uid=kacho)(uid=yamada))"))
    place.accounts._directory = asked
    entries = await asked.people()
    before = await place.staff.preview(entries)
    assert "課「情報政策課」がありません / no such department" in {one.why for one in before.faults}
    for name in ("総務部", "税務課", "情報政策課"):
        await place.staff.add_department(name, "test")
    plan = await place.staff.preview(entries)
    assert (len(plan.joins), plan.faults) == (3, ())
    assert await place.accounts.count() == 0, "nothing is written by looking"
    assert await place.staff.follow(entries, plan.digest, "test") == {}, "no temporary password where the directory has one"
    async with client(place.faces["drop"]) as browser:
        assert (await log_in(browser, "tanaka", "wrong")).status == 401
        assert (await log_in(browser, "tanaka", "tanaka-no-himitsu")).headers["Location"] == "/"
    account = await place.accounts.find("yamada")
    assert account is not None
    assert (account.role, account.must_change) == ("administrator", False)
    with pytest.raises(RefusedError, match="directory"):
        await place.accounts.change_password(account, "yamada-no-himitsu", "another long phrase")
    [kacho] = [one for one in await place.accounts.listed() if one.login == "kacho"]
    assert any(one.head for one in await place.journal.ask(lambda c: people_rows.memberships_of(c, kacho.id)))
    again = await place.staff.preview(await asked.people())
    assert (again.joins, again.moves, again.same) == ((), (), 3)


@slapd.needs_slapd
async def test_who_is_disabled_here_does_not_come_in_with_the_right_password_there(url: str, place: Town) -> None:
    place.accounts._directory = LdapDirectory(reach(url))
    await place.accounts.add("tanaka", "田中", Role.STAFF, "test", directory=slapd.dn("tanaka"))
    account = await place.accounts.find("tanaka")
    assert account is not None
    await place.accounts.disable(account, "test")
    with pytest.raises(RefusedError):
        await place.accounts.log_in("tanaka", "tanaka-no-himitsu", "drop", "")


@slapd.needs_slapd
@pytest.mark.parametrize(
    "other",
    [{"password": "wrong"}, {"base": "dc=other"}, {"groups": (("administrator", slapd.group("none")),)}, {"start_tls": True}, {"people": "((("}],
)
async def test_a_directory_that_refuses_is_an_error_and_no_list(url: str, other: dict[str, object]) -> None:
    with pytest.raises(DirectoryError):
        await LdapDirectory(reach(url, **other)).people()


@slapd.needs_slapd
async def test_the_line_is_encrypted_and_the_other_end_is_who_it_says(tmp_path: Path) -> None:
    trusted, lines = slapd.certificate(tmp_path)
    with slapd.running(tmp_path / "slapd", slapd.people(), tls=lines) as address:
        url = address.replace("127.0.0.1", "localhost")
        assert await LdapDirectory(reach(url, start_tls=True, ca=str(trusted))).matches(slapd.dn("tanaka"), "tanaka-no-himitsu")
        for other in ({"ca": ""}, {"url": address, "ca": str(trusted)}):        # nobody trusts it; it is not that host's
            with pytest.raises(DirectoryError):
                await LdapDirectory(reach(url, start_tls=True)._replace(**other)).matches(slapd.dn("tanaka"), "tanaka-no-himitsu")


async def test_a_silent_directory_is_an_error_in_time_and_no_log_in(place: Town) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asked = LdapDirectory(reach(f"ldap://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3))
        with pytest.raises(DirectoryError):
            await asked.matches(slapd.dn("tanaka"), "x")
        place.accounts._directory = asked
        await place.accounts.add("tanaka", "田中", Role.STAFF, "test", directory=slapd.dn("tanaka"))
        async with client(place.faces["drop"]) as browser:
            answer = await log_in(browser, "tanaka", "x")
            assert answer.status == 503
            assert not answer.cookies
    account = await place.accounts.find("tanaka")
    assert account is not None
    assert account.failures == 0, "nobody is locked out by a silent directory"


async def test_without_a_directory_its_accounts_stay_out(place: Town) -> None:
    assert isinstance(place.accounts, Accounts)
    await place.accounts.add("tanaka", "田中", Role.STAFF, "test", directory=slapd.dn("tanaka"))
    with pytest.raises(RefusedError):
        await place.accounts.log_in("tanaka", "x", "drop", "")


@pytest.mark.parametrize(
    ("values", "disabled"),
    [
        ({"userAccountControl": ["514"]}, True),
        ({"useraccountcontrol": "512"}, False),
        ({"pwdAccountLockedTime": ["000001010000Z"]}, True),
        ({"nsAccountLock": ["TRUE"]}, True),
        ({"nsAccountLock": ["false"]}, False),
        ({}, False),
    ],
)
def test_who_is_disabled_there(values: dict[str, object], disabled: bool) -> None:
    assert _is_disabled(values) is disabled


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SEKISHO_DIRECTORY_URL": "http://x", "SEKISHO_DIRECTORY_BASE": "dc=x"}, "ldap://"),
        ({"SEKISHO_DIRECTORY_URL": "ldap://x"}, "base"),
        ({"SEKISHO_DIRECTORY_URL": "ldap://x", "SEKISHO_DIRECTORY_BASE": "dc=x", "SEKISHO_DIRECTORY_GROUPS": "king:cn=x"}, "king"),
        ({"SEKISHO_DIRECTORY_URL": "ldap://x", "SEKISHO_DIRECTORY_BASE": "dc=x", "SEKISHO_DIRECTORY_PASSWORD_FILE": "/none"}, "password_file"),
    ],
)
def test_wrong_settings_are_told(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        directory.of(config.load(None, given))
    assert directory.of(config.load(None, {})) is None


@slapd.needs_slapd
async def test_more_people_than_a_town_has_are_no_list(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_MOST", 100)
    with pytest.raises(DirectoryError, match="more than 100 people"):
        await LdapDirectory(reach(url)).people()


@slapd.needs_slapd
async def test_whoever_has_no_log_in_name_there_is_nobody(url: str) -> None:
    assert await LdapDirectory(reach(url, login="telephoneNumber")).people() == []


@slapd.needs_slapd
@pytest.mark.parametrize("name", ["cn=,,", "uid=x,dc=elsewhere", f"ou=people,{slapd.BASE}"])
async def test_a_name_with_which_nobody_binds_is_a_wrong_password(url: str, name: str) -> None:
    """Also one that the directory knows and refuses."""
    assert await LdapDirectory(reach(url)).matches(name, "x") is False


def test_settings_name_the_directory_and_its_groups(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("himitsu\n", "utf-8")
    given = {
        "SEKISHO_DIRECTORY_URL": "ldaps://ad.example", "SEKISHO_DIRECTORY_BASE": "dc=x", "SEKISHO_DIRECTORY_BIND": "cn=reader",
        "SEKISHO_DIRECTORY_PASSWORD_FILE": str(tmp_path / "password"), "SEKISHO_DIRECTORY_GROUPS": "administrator:cn=admins",
    }  # fmt: skip
    made = directory.of(config.load(None, given))
    assert isinstance(made, LdapDirectory)
    assert made._reach[:4] == ("ldaps://ad.example", "dc=x", "cn=reader", "himitsu")
    assert made._reach.groups == (("administrator", "cn=admins"),)
