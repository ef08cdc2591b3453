"""LDAP and Active Directory: passwords are asked there by a bind, and people, departments and roles are read from there as a list.

Which group makes which role is a setting; a list is previewed like any other before anything is written. A directory that does not
answer, or not in time, is an error and never a log-in.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import ldap3  # type: ignore[import-untyped]
from ldap3.core.exceptions import LDAPException, LDAPInvalidCredentialsResult, LDAPOperationResult  # type: ignore[import-untyped]

from gateway.config import Config, ConfigError
from gateway.people.accounts import DirectoryError
from gateway.people.roles import Role
from gateway.people.roster import Entry

T = TypeVar("T")

_PAGE: Final = 500
_MOST: Final = 50_000
# Active Directory: ACCOUNTDISABLE (MS-ADTS 2.2.16).
_DISABLED: Final = 0x2
_ATTRIBUTES: Final = ("cn", "displayName", "mail", "userAccountControl", "pwdAccountLockedTime", "nsAccountLock")
_HEAD: Final = "head"


class Reach(NamedTuple):
    """Where a directory is and how it is read. `groups`: (role, or `head` for 所属長) and the group's distinguished name; `seconds`: for
    each question."""

    url: str
    base: str
    bind: str = ""
    password: str = ""
    people: str = "(objectClass=person)"
    login: str = "uid"
    department: str = "ou"
    groups: tuple[tuple[str, str], ...] = ()
    start_tls: bool = True
    ca: str = ""
    seconds: float = 5.0


class LdapDirectory:
    """One directory. Every question opens a connection of its own: a log-in is rare, and a bind changes who a connection speaks for."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def matches(self, name: str, password: str) -> bool:
        """Whether that entry has that password and may use it. Raises DirectoryError."""
        return bool(password) and await self._asked(lambda: self._binds(name, password))

    async def people(self) -> list[Entry]:
        """Everybody in it, as a list. Raises DirectoryError."""
        return await self._asked(self._people)

    async def _asked(self, question: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._reach.seconds * 4):
                return await asyncio.to_thread(question)
        except (LDAPException, OSError, TimeoutError) as error:
            raise DirectoryError(f"directory: {type(error).__name__}: {' '.join(str(error).split())[:200]}") from None

    # ------------------------------------------------------------------------------------------- in a thread of their own

    def _connection(self, name: str, password: str) -> ldap3.Connection:
        reach = self._reach
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=reach.ca or None)       # else Python's own default context
        whole = math.ceil(reach.seconds)        # ldap3 hands it to the socket as an integer
        server = ldap3.Server(reach.url, tls=tls, connect_timeout=reach.seconds, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server, user=name or None, password=password or None, receive_timeout=whole, raise_exceptions=True, read_only=True,
            auto_referrals=False,
        )  # fmt: skip
        connection.open()
        if reach.start_tls and not reach.url.startswith("ldaps:"):
            connection.start_tls()
        connection.bind()
        return connection

    def _binds(self, name: str, password: str) -> bool:
        try:
            self._connection(name, password).unbind()
        except LDAPInvalidCredentialsResult:
            return False
        except LDAPOperationResult:
            return False            # the directory knows him and refuses: disabled, expired, must change there first
        return True

    def _people(self) -> list[Entry]:
        reach = self._reach
        connection = self._connection(reach.bind, reach.password)
        try:
            members = [(role, self._members(connection, group)) for role, group in reach.groups]
            found = connection.extend.standard.paged_search(
                reach.base, reach.people, attributes=[reach.login, reach.department, *_ATTRIBUTES], paged_size=_PAGE, generator=True
            )
            entries: list[Entry] = []
            for row in found:
                if row.get("type") == "searchResEntry" and (entry := self._entry(len(entries) + 1, row, members)) is not None:
                    entries.append(entry)
                if len(entries) > _MOST:
                    raise DirectoryError(f"directory: more than {_MOST} people")
        finally:
            connection.unbind()
        return entries

    def _members(self, connection: ldap3.Connection, group: str) -> frozenset[str]:
        """Of a group that there is; a name that is wrong would silently take a role from everybody. Raises DirectoryError."""
        connection.search(group, "(objectClass=*)", search_scope=ldap3.BASE, attributes=["member", "uniqueMember"])
        rows = [row for row in connection.response or () if row.get("type") == "searchResEntry"]
        if not rows:
            raise DirectoryError(f"directory: no group {group}")
        return frozenset(name.lower() for key in ("member", "uniqueMember") for name in _texts(rows[0]["attributes"], key))

    def _entry(self, line: int, row: Mapping[str, Any], members: Sequence[tuple[str, frozenset[str]]]) -> Entry | None:
        values, name = row["attributes"], row["dn"]
        login = next(iter(_texts(values, self._reach.login)), "").lower()
        if not login:
            return None
        groups = [role for role, names in members if name.lower() in names]
        departments = _texts(values, self._reach.department)
        roles = [Role(role) for role in groups if role != _HEAD]
        return Entry(
            line=line,
            login=login,
            name=next(iter([*_texts(values, "displayName"), *_texts(values, "cn")]), login),
            mail=next(iter(_texts(values, "mail")), "").lower(),
            department=departments[0] if departments else "",
            concurrent=tuple(departments[1:]),
            head=_HEAD in groups,
            leaving=_is_disabled(values),
            role=roles[0] if roles else Role.STAFF,
            directory=name,
        )


def _texts(values: Mapping[str, Any], name: str) -> list[str]:
    """The values of an attribute, whatever case its name comes in."""
    given = next((value for key, value in values.items() if key.lower() == name.lower()), None)
    found = given if isinstance(given, list | tuple) else [] if given is None else [given]
    return [text for one in found if (text := _text(one).strip())]


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_disabled(values: Mapping[str, Any]) -> bool:
    flags = next(iter(_texts(values, "userAccountControl")), "0")
    locked = _texts(values, "pwdAccountLockedTime") or [one for one in _texts(values, "nsAccountLock") if one.lower() == "true"]
    return bool(locked) or (flags.isdigit() and bool(int(flags) & _DISABLED))


# ------------------------------------------------------------------------------------------------------------- settings


def of(settings: Config) -> LdapDirectory | None:
    """The directory of an installation; None where none is set. Raises ConfigError."""
    url = settings["directory.url"]
    if not url:
        return None
    if urlsplit(url).scheme not in ("ldap", "ldaps"):
        raise ConfigError("directory.url: must begin with ldap:// or ldaps://")
    if not settings["directory.base"]:
        raise ConfigError("directory.base: must name where people are")
    reach = Reach(
        url=url,
        base=settings["directory.base"],
        bind=settings["directory.bind"],
        password=_secret(settings),
        people=settings["directory.people"],
        login=settings["directory.login"],
        department=settings["directory.department"],
        groups=_groups(settings["directory.groups"]),
        start_tls=settings["directory.start_tls"],
        ca=str(settings.path("directory.ca")) if settings["directory.ca"] else "",
        seconds=settings["directory.timeout"],
    )
    return LdapDirectory(reach)


def _secret(settings: Config) -> str:
    if not settings["directory.password_file"]:
        return ""
    try:
        return Path(settings.path("directory.password_file")).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"directory.password_file: {error}") from None


def _groups(given: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`administrator:cn=…,dc=…`."""
    found = []
    for one in given:
        role, colon, name = one.partition(":")
        if not colon or role not in {*(str(role) for role in Role), _HEAD} or not name.strip():
            raise ConfigError(f"directory.groups: {one!r} is not role:distinguished name")
        found.append((role, name.strip()))
    return tuple(found)
