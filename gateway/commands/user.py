"""`sekisho user add|list|disable|enable|unlock|reset|token|mfa|sessions|share|import|sync`: accounts. A temporary password or a token is
printed once and kept nowhere."""

from __future__ import annotations

import argparse
import getpass
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from gateway.commands import Failure, Usage, reading, stores
from gateway.config import Config
from gateway.people import directory, reception, roster
from gateway.people.accounts import Account, Accounts, DirectoryError, LoginTakenError, RefusedError, Role
from gateway.people.employment import Employment, Feature, Terms
from gateway.people.permissions import FACES
from gateway.people.roster import Entry, Fault, Plan
from gateway.people.staff import Staff
from gateway.storage.journal import Journal

_DAY_SECONDS = 86_400
_OF_ONE = ("add", "disable", "enable", "unlock", "reset", "token", "mfa", "sessions", "share")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("user", help="利用者 / accounts")
    command.add_argument("what", choices=("list", *_OF_ONE, "import", "sync"))
    command.add_argument("login", nargs="?", metavar="LOGIN", help="import: the CSV file")
    command.add_argument("deed", nargs="?", metavar="reset", help="mfa reset LOGIN: forget the second factors")
    command.add_argument("--name", default="", help="as shown to others")
    command.add_argument("--mail", default="", metavar="ADDRESS", help="whose mails this person may open with a password")
    command.add_argument("--role", choices=[str(role) for role in Role], default=str(Role.STAFF))
    command.add_argument("--person", default="", metavar="LOGIN", help="add: this is another account of that person")
    command.add_argument("--department", action="append", default=[], metavar="NAME", help="add: the first is the main one")
    command.add_argument("--head", action="store_true", help="add: leads the main department (所属長)")
    command.add_argument("--employment", choices=[str(one) for one in Employment], help="add: 任用の区分")
    features = [str(one) for one in Feature]
    command.add_argument("--permit", action="append", default=[], choices=features, help="add: may use this, with --reason")
    command.add_argument("--reason", default="", help="add: why something is permitted; recorded")
    command.add_argument("--days", type=int, default=90, help="for how long a token is valid")
    command.add_argument("--face", action="append", default=[], choices=sorted(FACES), help="token: opens this face only")
    command.add_argument("--member", action="append", default=[], metavar="LOGIN", help="share: who may use this account (共用ID)")
    command.add_argument("--complete", action="store_true", help="import, sync: staff who are not in it leave")
    command.add_argument("--confirm", action="store_true", help="import, sync: do it; without, only what would change is shown")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "mfa":
        # `mfa reset LOGIN`: the deed stands before the name.
        if arguments.login != "reset":
            raise Usage("user mfa: reset LOGIN")
        arguments.login = arguments.deed
    elif arguments.deed is not None:
        raise Usage(f"user {arguments.what}: {arguments.deed} is too much")
    if arguments.what in (*_OF_ONE, "import") and not arguments.login:
        raise Usage(f"user {arguments.what}: which {'FILE' if arguments.what == 'import' else 'LOGIN'}?")
    if arguments.days < 1:
        raise Usage("--days: at least 1")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _blobs):
        accounts, actor = reception.accounts(settings, journal, time.time), f"command:{getpass.getuser()}"
        try:
            if arguments.what == "list":
                for one in await accounts.listed():
                    stores.say(_row(one), f"{one.login:<24} {one.role:<14} {one.name}", as_json=arguments.json)
            elif arguments.what == "add":
                await _add(accounts, _staff(settings, journal), arguments, actor)
            elif arguments.what == "import":
                entries, faults = roster.read(reading(Path(arguments.login).read_bytes))
                await _list(_staff(settings, journal), entries, faults, arguments, actor)
            elif arguments.what == "sync":
                await _list(_staff(settings, journal), await _from_directory(settings), [], arguments, actor)
            else:
                await _to_one(accounts, arguments, actor)
        except LoginTakenError:
            raise Failure(f"{arguments.login}: this log-in name is taken") from None
        except RefusedError as refusal:
            raise Usage(str(refusal)) from None
    return 0


def _staff(settings: Config, journal: Journal) -> Staff:
    return Staff(journal, time.time, settings["service.organisation"])


async def _add(accounts: Accounts, staff: Staff, arguments: argparse.Namespace, actor: str) -> None:
    known = {one.name for one in await staff.departments() if not one.closed}
    if missing := [name for name in arguments.department if name not in known]:
        raise Usage(f"--department: {missing[0]}: no such department")
    password = await accounts.add(
        arguments.login, arguments.name, Role(arguments.role), actor, arguments.mail, person=arguments.person, terms=_terms(arguments)
    )
    made = await accounts.find(arguments.login)
    if made is not None and arguments.department:
        await staff.move(made, arguments.department, actor, head=arguments.head)
    _secret("password", password, as_json=arguments.json)


def _terms(arguments: argparse.Namespace) -> Terms:
    employment = Employment(arguments.employment) if arguments.employment else None
    given = {one: one in arguments.permit or None for one in Feature}
    return Terms(employment=employment, drop=given[Feature.DROP], mail=given[Feature.MAIL], reason=arguments.reason)


async def _to_one(accounts: Accounts, arguments: argparse.Namespace, actor: str) -> None:
    account = await accounts.find(arguments.login)
    if account is None:
        raise Failure(f"{arguments.login}: no such account")
    what = arguments.what
    if what == "disable":
        await accounts.disable(account, actor)
    elif what == "enable":
        await accounts.enable(account, actor)
    elif what == "unlock":
        await accounts.unlock(account, actor)
    elif what == "reset":
        _secret("password", await accounts.reset_password(account, actor), as_json=arguments.json)
    elif what == "mfa":
        await accounts.factors.reset(account, actor)
    elif what == "sessions":
        for one in await accounts.sessions_of(account):
            await accounts.end_session(account, one.handle, actor)
    elif what == "share":
        await _share(accounts, account, arguments.member, actor)
    elif account.disabled:
        raise Failure(f"{arguments.login}: this account is disabled")
    else:
        token = await accounts.issue_token(account, "command", arguments.days * _DAY_SECONDS, actor, arguments.face)
        _secret("token", token, as_json=arguments.json)


async def _share(accounts: Accounts, account: Account, logins: Sequence[str], actor: str) -> None:
    members = []
    for login in logins:
        if (member := await accounts.find(login)) is None:
            raise Failure(f"{login}: no such account")
        members.append(member)
    await accounts.share(account, members, actor)


# ------------------------------------------------------------------------------------------------------- lists of people


async def _from_directory(settings: Config) -> list[Entry]:
    found = directory.of(settings)
    if found is None:
        raise Usage("user sync: directory.url is not set")
    try:
        return await found.people()
    except DirectoryError as error:
        raise Failure(str(error)) from None


async def _list(staff: Staff, entries: Sequence[Entry], faults: Sequence[Fault], arguments: argparse.Namespace, actor: str) -> None:
    """What following it would do; and with --confirm, does it."""
    plan = await staff.preview(entries, faults, complete=arguments.complete)
    _say_plan(plan, as_json=arguments.json)
    if plan.faults:
        raise Failure(f"line {plan.faults[0].line}: {plan.faults[0].why}")
    if arguments.confirm:
        passwords = await staff.follow(entries, plan.digest, actor, complete=arguments.complete)
        for login, password in sorted(passwords.items()):
            stores.say({"login": login, "password": password}, f"{login:<24} {password}", as_json=arguments.json)


def _say_plan(plan: Plan, *, as_json: bool) -> None:
    for what, logins in (
        ("joins", [one.login for one in plan.joins]),
        ("moves", [one.entry.login for one in plan.moves]),
        ("leaves", [one.login for one in plan.leaves]),
        ("faults", [f"{one.line}: {one.why}" for one in plan.faults]),
    ):
        stores.say({what: logins}, f"{what:<8} {len(logins):>5}  {' '.join(logins[:20])}", as_json=as_json)


def _secret(what: str, value: str, *, as_json: bool) -> None:
    stores.say({what: value}, value, as_json=as_json)


def _row(account: Account) -> dict[str, object]:
    return {"login": account.login, "name": account.name, "mail": account.mail, "role": account.role, "disabled": account.disabled,
            "employment": account.employment, "may_drop": account.may_drop, "may_mail": account.may_mail}  # fmt: skip
